#!/bin/bash
# The beginning of a job script for scripts/campaign --slurm on a node with four GPUs, one rank for each:
#     campaign --configs 500 --slurm slurm-gpu-head.sh --launch "srun --mpi=pmix --cpu-bind=cores" --set backend=cuda RUN.cfg
#SBATCH --job-name=flowhmc
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=4
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=8
#SBATCH --time=24:00:00
#SBATCH --signal=B:USR1@600

# module load openmpi hdf5-parallel cuda
