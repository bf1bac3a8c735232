/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cuda.c: the backend that runs kernels on a GPU and keeps fields in its memory.
 *
 * Everything is asked of one of two streams.  Memory is allocated and freed in the order of the main one, from a pool that
 * gives nothing back to the system.
 */
#include "lattice/backend/backend.h"
#include "lattice/backend/gauge_kernels.h"

#include <cuda_runtime_api.h>
#if defined(OPEN_MPI)
#include <mpi-ext.h>
#endif

#include <stdio.h>
#include <string.h>

enum { THREADS = 128, LAUNCH_BYTES = 4096 };

/* A process has one device, which is opened once. */
static struct {
    cudaStream_t stream[LAT_STREAMS];
    cudaEvent_t event;
    bool recording, spoilt; /* something was asked for that cannot be recorded */
    lat_copies copies;
    lat_backend backend;
} device;

static void check(cudaError_t error, const char *what)
{
    if (error != cudaSuccess && device.recording)
        device.spoilt = true;
    else if (error != cudaSuccess)
        lat_abort(LAT_CONFIG, "cuda: %s: %s: run compute-sanitizer, or use backend = \"cpu\"", what, cudaGetErrorString(error));
}

/* --------------------------------------------------------------------------------------------------------- kernels */

void lat_cuda_launch(const void *global, const void *launch, size_t bytes, int64_t threads, lat_stream stream)
{
    if (threads <= 0) return;
    if (bytes > LAUNCH_BYTES || threads > (int64_t)INT32_MAX * THREADS)
        lat_abort(LAT_CONFIG, "cuda: %lld threads with %zu bytes of arguments are more than a launch takes: use more GPUs",
                  (long long)threads, bytes);
    char room[LAUNCH_BYTES] = {0};
    void *arguments[] = {memcpy(room, launch, bytes)};
    dim3 blocks = {(unsigned)((threads + THREADS - 1) / THREADS), 1, 1}, block = {THREADS, 1, 1};
    check(cudaLaunchKernel(global, blocks, block, arguments, 0, device.stream[stream]), "start of a kernel");
}

/* ---------------------------------------------------------------------------------------------------------- memory */

static void zero(void *to, int64_t bytes)
{
    check(cudaMemsetAsync(to, 0, (size_t)bytes, device.stream[LAT_MAIN]), "zeroing memory");
}

static _Noreturn void no_memory(int64_t bytes)
{
    size_t free = 0, total = 0;
    (void)cudaMemGetInfo(&free, &total);
    lat_abort(LAT_CONFIG, "cuda: no memory for %lld bytes, %zu of %zu are free: use more GPUs or a smaller lattice or batch",
              (long long)bytes, free, total);
}

static void *allocate(int64_t bytes)
{
    void *memory = NULL;
    if (bytes <= 0) bytes = 1;
    if (device.recording) device.spoilt = true; /* it would be there for the recording alone */
    cudaError_t error = cudaMallocAsync(&memory, (size_t)bytes, device.stream[LAT_MAIN]);
    if (error == cudaErrorMemoryAllocation) no_memory(bytes);
    check(error, "allocating memory");
    zero(memory, bytes);
    return memory;
}

static void release(void *memory)
{
    if (memory) check(cudaFreeAsync(memory, device.stream[LAT_MAIN]), "releasing memory");
}

static void move(void *to, const void *from, int64_t bytes, enum cudaMemcpyKind kind, lat_stream stream)
{
    if (bytes > 0) check(cudaMemcpyAsync(to, from, (size_t)bytes, kind, device.stream[stream]), "copying memory");
}

static void copy(void *to, const void *from, int64_t bytes) { move(to, from, bytes, cudaMemcpyDeviceToDevice, LAT_MAIN); }

static void count(lat_copied what, int64_t bytes)
{
    lat_copies *copies = &device.copies;
    if (what == LAT_OF_FIELD) {
        copies->fields++;
        copies->field_bytes += bytes;
    } else {
        copies->arrays++;
        copies->array_bytes += bytes;
    }
}

static void wait_for(lat_stream stream) { check(cudaStreamSynchronize(device.stream[stream]), "work on the device"); }

/* Pageable memory is copied aside before the call returns. */
static void upload(void *to, const void *from, int64_t bytes, lat_copied what)
{
    count(what, bytes);
    move(to, from, bytes, cudaMemcpyHostToDevice, LAT_MAIN);
}

static void download(void *to, const void *from, int64_t bytes, lat_copied what)
{
    count(what, bytes);
    move(to, from, bytes, cudaMemcpyDeviceToHost, LAT_MAIN);
    wait_for(LAT_MAIN);
}

static lat_copies copies(void) { return device.copies; }

/* ------------------------------------------------------------------------------------------------------- recordings */

static bool record(void)
{
    device.spoilt = false;
    device.recording = cudaStreamBeginCapture(device.stream[LAT_MAIN], cudaStreamCaptureModeThreadLocal) == cudaSuccess;
    return device.recording;
}

static bool recording(void) { return device.recording; }

static void *end_record(void)
{
    cudaGraph_t graph = NULL;
    cudaGraphExec_t ready = NULL;
    bool whole = cudaStreamEndCapture(device.stream[LAT_MAIN], &graph) == cudaSuccess && !device.spoilt;
    device.recording = false;
    bool good = whole && cudaGraphInstantiate(&ready, graph, 0) == cudaSuccess;
    if (graph) check(cudaGraphDestroy(graph), "ending a recording");
    (void)cudaGetLastError(); /* of a recording that failed: nobody else is to find it */
    return good ? ready : NULL;
}

static void replay(void *recorded)
{
    device.copies.replays++;
    check(cudaGraphLaunch(recorded, device.stream[LAT_MAIN]), "start of recorded kernels");
}

static void forget(void *recorded) { check(cudaGraphExecDestroy(recorded), "releasing recorded kernels"); }

/* -------------------------------------------------------------------------------------------------------- messages */

static void *allocate_staging(int64_t bytes)
{
    void *memory = NULL;
    check(cudaMallocHost(&memory, (size_t)bytes), "allocating memory for messages");
    return memset(memory, 0, (size_t)bytes);
}

static void release_staging(void *memory)
{
    if (memory) check(cudaFreeHost(memory), "releasing memory for messages");
}

static void send_staging(void *to, const void *from, int64_t bytes, lat_stream stream)
{
    device.copies.messages++;
    device.copies.message_bytes += bytes;
    move(to, from, bytes, cudaMemcpyDeviceToHost, stream);
}

static void receive_staging(void *to, const void *from, int64_t bytes, lat_stream stream)
{
    device.copies.messages++;
    device.copies.message_bytes += bytes;
    move(to, from, bytes, cudaMemcpyHostToDevice, stream);
}

static void follow(lat_stream stream, lat_stream before)
{
    check(cudaEventRecord(device.event, device.stream[before]), "marking a place in a stream");
    check(cudaStreamWaitEvent(device.stream[stream], device.event, 0), "joining streams");
}

static bool mpi_takes_device_memory(void)
{
#if defined(MPIX_CUDA_AWARE_SUPPORT) && MPIX_CUDA_AWARE_SUPPORT
    return MPIX_Query_cuda_support();
#else
    return false;
#endif
}

/* -------------------------------------------------------------------------------------------------------- the device */

static const lat_backend backend = {
    .name = "cuda",
    .fields = {[LAT_DOUBLE] = &lat_cuda_fields_double, [LAT_FLOAT] = &lat_cuda_fields_float},
    .kernels = {[LAT_U1] = {[LAT_DOUBLE] = &lat_cuda_u1_double, [LAT_FLOAT] = &lat_cuda_u1_float},
                [LAT_SU2] = {[LAT_DOUBLE] = &lat_cuda_su2_double, [LAT_FLOAT] = &lat_cuda_su2_float},
                [LAT_SU3] = {[LAT_DOUBLE] = &lat_cuda_su3_double, [LAT_FLOAT] = &lat_cuda_su3_float}},
    .allocate = allocate,
    .release = release,
    .zero = zero,
    .copy = copy,
    .upload = upload,
    .download = download,
    .allocate_staging = allocate_staging,
    .release_staging = release_staging,
    .send_staging = send_staging,
    .receive_staging = receive_staging,
    .follow = follow,
    .wait = wait_for,
    .copies = copies,
    .record = record,
    .recording = recording,
    .end_record = end_record,
    .replay = replay,
    .forget = forget,
};

static int find_devices(char why[LAT_BACKEND_TEXT])
{
    int driver = 0, runtime = 0, found = 0;
    (void)cudaDriverGetVersion(&driver); /* 0 where there is none */
    (void)cudaRuntimeGetVersion(&runtime);
    cudaError_t error = cudaGetDeviceCount(&found);
    if (driver == 0)
        snprintf(why, LAT_BACKEND_TEXT, "no CUDA driver on this machine");
    else if (error == cudaErrorInsufficientDriver)
        snprintf(why, LAT_BACKEND_TEXT, "the driver is for CUDA %d.%d, this program needs %d.%d", driver / 1000,
                 driver % 1000 / 10, runtime / 1000, runtime % 1000 / 10);
    else if (error == cudaErrorNoDevice || (error == cudaSuccess && found == 0))
        snprintf(why, LAT_BACKEND_TEXT, "no CUDA device on this machine");
    else if (error != cudaSuccess)
        snprintf(why, LAT_BACKEND_TEXT, "no CUDA device: %s", cudaGetErrorString(error));
    return error == cudaSuccess ? found : 0;
}

/* Memory that was freed is kept for the next who asks. */
static void keep_pool(int number)
{
    uint64_t all = UINT64_MAX;
    cudaMemPool_t pool;
    check(cudaDeviceGetDefaultMemPool(&pool, number), "finding the pool of memory");
    check(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &all), "setting up the pool of memory");
}

const lat_backend *lat_cuda_open(int local_rank, char why[LAT_BACKEND_TEXT])
{
    if (device.backend.name) return &device.backend;
    int found = find_devices(why);
    if (found == 0) return NULL;
    cudaError_t error = cudaSetDevice(local_rank % found);
    if (error != cudaSuccess) {
        snprintf(why, LAT_BACKEND_TEXT, "device %d cannot be used: %s", local_rank % found, cudaGetErrorString(error));
        return NULL;
    }
    keep_pool(local_rank % found);
    for (int i = 0; i < LAT_STREAMS; i++)
        check(cudaStreamCreateWithFlags(&device.stream[i], cudaStreamNonBlocking), "making a stream");
    check(cudaEventCreateWithFlags(&device.event, cudaEventDisableTiming), "making an event");
    device.backend = backend;
    device.backend.messages = mpi_takes_device_memory();
    return &device.backend;
}
