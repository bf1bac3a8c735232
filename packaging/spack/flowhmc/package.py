# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# For Spack: put this folder into packages/ of a repository of your own (spack repo create), the release flowhmc-0.1.0.tar.xz (make dist)
# into the present directory, and say: spack install --no-checksum flowhmc.  From a clone: spack dev-build flowhmc@0.1.0.
import os

from spack.package import *


class Flowhmc(AutotoolsPackage, CudaPackage):
    """Ensembles of lattice gauge fields by trained, gauge-equivariant flows and Hybrid Monte Carlo."""

    manual_download = True
    url = "file://{0}/flowhmc-0.1.0.tar.xz".format(os.getcwd())

    license("GPL-3.0-or-later")

    version("0.1.0")

    depends_on("c", type="build")
    depends_on("autoconf", type="build")
    depends_on("automake", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("mpi")
    depends_on("hdf5+mpi")
    depends_on("fftw@3:")
    depends_on("libconfig")
    depends_on("jansson")
    depends_on("zlib-api")
    depends_on("libmd")
    depends_on("expat")
    depends_on("netlib-lapack+lapacke")
    depends_on("random123")

    def configure_args(self):
        hdf5 = self.spec["hdf5"]
        args = [
            "MPICC={0}".format(self.spec["mpi"].mpicc),
            "HDF5_CFLAGS={0}".format(hdf5.headers.include_flags),
            "HDF5_LIBS={0}".format(hdf5.libs.ld_flags),
            "CPPFLAGS={0}".format(self.spec["random123"].headers.include_flags),
            # The compiler wrapper of Spack chooses the processor.
            "--with-arch=no",
        ]
        if self.spec.satisfies("+cuda"):
            args.append("--with-cuda={0}".format(self.spec["cuda"].prefix))
            flags = ["-gencode arch=compute_{0},code=sm_{0}".format(a) for a in self.spec.variants["cuda_arch"].value if a != "none"]
            if flags:
                args.append("NVCCFLAGS=-O3 {0}".format(" ".join(flags)))
        else:
            args.append("--with-cuda=no")
        return args
