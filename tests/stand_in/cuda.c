/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cuda.c: a stand-in, for tests on machines without a GPU, for a device.  It runs the same launches, thread by thread, on the
 * host, and is as strict as it can be about what a device may and may not do:
 *
 *   Its memory cannot be read or written but by kernels and copies: whoever else tries is ended by SIGSEGV.
 *   What is asked of a stream is done when someone waits for it, and not before: who does not wait sees what was there before.
 *   Streams do not know of each other but by events.
 *   Memory that is freed is filled with NaN, in the order of the stream.
 *   Kernels are not given addresses of the host's memory, as far as that can be seen.
 *   While a stream is recorded nobody waits for it or copies from and to pageable memory, other streams come in by events and go
 *   by events, and memory that is allocated is freed.
 *
 * STAND_IN_DEVICES (default 1) and STAND_IN_DRIVER (13000) in the environment choose what the machine has, STAND_IN_MEMORY
 * (2^30) how many bytes.
 */
#include <cuda_runtime_api.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { RUNTIME = 13000, LAUNCH_BYTES = 4096, ALIGNMENT = 256, PAGE = 1 << 21, MOST_WAITING = 4096 };

typedef struct operation {
    struct operation *next;
    enum { LAUNCH, MOVE, FILL, WAIT } kind;
    void (*kernel)(const void *arguments);
    dim3 blocks, threads;
    void *to;
    const void *from;
    void *held; /* bytes of the host that were copied aside */
    size_t bytes;
    int value;
    cudaStream_t other;
    uint64_t until;
    size_t size;          /* of the arguments */
    uint64_t arguments[]; /* of a launch */
} operation;

typedef struct {
    operation *first, *last;
} list;

struct stand_in_graph {
    list list;
};

struct stand_in_stream {
    struct stand_in_stream *next;
    list list;
    bool recorded, loose; /* loose: what was recorded last is not yet waited for by the stream that began */
    uint64_t asked, done;
    bool busy;
};
struct stand_in_event {
    cudaStream_t stream;
    uint64_t place;
    bool recorded;
};

/* The memory from its beginning to `top`, in order. */
typedef struct block {
    struct block *next;
    size_t offset, bytes;
    bool used, recorded; /* recorded: for a recording alone */
} block;

typedef struct pinned {
    struct pinned *next;
    char *memory;
    size_t bytes;
} pinned;

dim3 blockIdx, blockDim, threadIdx;

static struct {
    char *memory; /* of the device */
    size_t size, top;
    int open;
    block *blocks;
    pinned *pinned;
    cudaStream_t streams;
} device;

/* Begun on one stream. */
static struct {
    cudaStream_t origin;
    cudaGraph_t graph;
    bool spoilt;
} recording;

static _Noreturn void fail(const char *what, const void *address)
{
    fprintf(stderr, "stand-in for CUDA: %s: %p\n", what, address);
    abort();
}

static size_t setting(const char *name, size_t standard)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : standard;
}

static bool is_device(const void *address)
{
    return (const char *)address >= device.memory && (const char *)address < device.memory + device.size;
}

static bool is_pinned(const void *address)
{
    for (const pinned *p = device.pinned; p; p = p->next)
        if ((const char *)address >= p->memory && (const char *)address < p->memory + p->bytes) return true;
    return false;
}

static cudaError_t spoil(void)
{
    recording.spoilt = true;
    return cudaErrorStreamCaptureUnsupported;
}

/* ------------------------------------------------------------------------------------------------------------ memory */

/* In large pages, whose protection is soon changed. */
static void start(void)
{
    if (device.memory) return;
    device.size = (setting("STAND_IN_MEMORY", (size_t)1 << 30) + PAGE - 1) / PAGE * PAGE;
    char *memory = mmap(NULL, device.size + PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) fail("no memory", NULL);
    device.memory = memory + (PAGE - (uintptr_t)memory % PAGE) % PAGE;
    (void)madvise(device.memory, device.size, MADV_HUGEPAGE);
}

static void protect(int protection)
{
    if (device.top > 0) mprotect(device.memory, (device.top + PAGE - 1) / PAGE * PAGE, protection);
}

static void open_memory(void)
{
    if (device.open++ == 0) protect(PROT_READ | PROT_WRITE);
}

static void close_memory(void)
{
    if (--device.open == 0) protect(PROT_NONE);
}

/* Cuts off what is not needed of a free block. */
static void *take(block *b, size_t bytes)
{
    if (b->bytes > bytes) {
        block *rest = malloc(sizeof *rest);
        *rest = (block){b->next, b->offset + bytes, b->bytes - bytes, false, false};
        b->bytes = bytes;
        b->next = rest;
    }
    b->used = true;
    b->recorded = recording.graph;
    return device.memory + b->offset;
}

cudaError_t cudaMallocAsync(void **memory, size_t bytes, cudaStream_t stream)
{
    (void)stream;
    start();
    bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    block **end = &device.blocks;
    for (; *end; end = &(*end)->next) {
        if ((*end)->used || (*end)->bytes < bytes) continue;
        *memory = take(*end, bytes);
        return cudaSuccess;
    }
    if (bytes > device.size - device.top) return cudaErrorMemoryAllocation;
    *end = malloc(sizeof **end);
    **end = (block){NULL, device.top, bytes, true, recording.graph};
    device.top += bytes;
    *memory = device.memory + (*end)->offset;
    return cudaSuccess;
}

static void join_free(void)
{
    for (block *b = device.blocks; b; b = b->next)
        while (!b->used && b->next && !b->next->used) {
            block *joined = b->next;
            b->bytes += joined->bytes;
            b->next = joined->next;
            free(joined);
        }
}

cudaError_t cudaFreeAsync(void *memory, cudaStream_t stream)
{
    for (block *b = device.blocks; b; b = b->next) {
        if (!b->used || device.memory + b->offset != memory) continue;
        size_t bytes = b->bytes;
        if (recording.graph && !b->recorded) return spoil();
        b->used = false;
        join_free();
        return cudaMemsetAsync(memory, 0xff, bytes, stream);
    }
    fail("freed what was not allocated", memory);
}

cudaError_t cudaMallocHost(void **memory, size_t bytes)
{
    pinned *p = malloc(sizeof *p);
    *p = (pinned){device.pinned, malloc(bytes), bytes};
    device.pinned = p;
    *memory = p->memory;
    return cudaSuccess;
}

cudaError_t cudaFreeHost(void *memory)
{
    for (pinned **p = &device.pinned; *p; p = &(*p)->next) {
        pinned *found = *p;
        if (found->memory != memory) continue;
        *p = found->next;
        free(found->memory);
        free(found);
        return cudaSuccess;
    }
    fail("freed what was not allocated on the host", memory);
}

cudaError_t cudaMemGetInfo(size_t *free, size_t *total)
{
    start();
    *total = device.size;
    *free = device.size - device.top;
    return cudaSuccess;
}

/* ---------------------------------------------------------------------------------------------------------- streams */

static void run_until(cudaStream_t stream, uint64_t place);

static void run_threads(const operation *o)
{
    blockDim = o->threads;
    for (blockIdx.x = 0; blockIdx.x < o->blocks.x; blockIdx.x++)
        for (threadIdx.x = 0; threadIdx.x < blockDim.x; threadIdx.x++) o->kernel(o->arguments);
}

static void run(operation *o)
{
    open_memory();
    switch (o->kind) {
    case LAUNCH: run_threads(o); break;
    case MOVE: memmove(o->to, o->held ? o->held : o->from, o->bytes); break;
    case FILL: memset(o->to, o->value, o->bytes); break;
    case WAIT: run_until(o->other, o->until); break;
    }
    close_memory();
    free(o->held);
    free(o);
}

static void run_until(cudaStream_t stream, uint64_t place)
{
    if (stream->done >= place) return;
    if (stream->busy) fail("streams wait for each other", stream);
    open_memory();
    while (stream->done < place) {
        operation *o = stream->list.first;
        stream->list.first = o->next;
        if (!stream->list.first) stream->list.last = NULL;
        stream->busy = true;
        run(o);
        stream->busy = false;
        stream->done++;
    }
    close_memory();
}

static void append(list *to, operation o, const void *arguments)
{
    operation *new = malloc(sizeof *new + o.size);
    *new = o;
    new->next = NULL;
    if (arguments) memcpy(new->arguments, arguments, o.size);
    if (to->last)
        to->last->next = new;
    else
        to->first = new;
    to->last = new;
}

static void ask(cudaStream_t stream, operation o, const void *arguments)
{
    if (stream->recorded) {
        append(&recording.graph->list, o, arguments);
        stream->loose = stream != recording.origin;
        return;
    }
    append(&stream->list, o, arguments);
    stream->asked++;
    if (stream->asked - stream->done > MOST_WAITING) run_until(stream, stream->asked); /* it may be done at any time */
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags)
{
    (void)flags;
    *stream = calloc(1, sizeof **stream);
    (*stream)->next = device.streams;
    device.streams = *stream;
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    if (stream->recorded) return spoil();
    run_until(stream, stream->asked);
    return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags)
{
    (void)flags;
    *event = calloc(1, sizeof **event);
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream)
{
    *event = (struct stand_in_event){stream, stream->asked, stream->recorded};
    return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags)
{
    (void)flags;
    if (event->recorded && recording.graph) {
        stream->recorded = true;
        if (stream == recording.origin) event->stream->loose = false;
        return cudaSuccess;
    }
    if (event->recorded || stream->recorded) return spoil();
    ask(stream, (operation){.kind = WAIT, .other = event->stream, .until = event->place}, NULL);
    return cudaSuccess;
}

/* ------------------------------------------------------------------------------------------------------- recordings */

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, enum cudaStreamCaptureMode mode)
{
    (void)mode;
    if (recording.graph) return spoil();
    recording.origin = stream;
    recording.graph = calloc(1, sizeof *recording.graph);
    recording.spoilt = false;
    stream->recorded = true;
    return cudaSuccess;
}

static void empty(list *list)
{
    for (operation *o = list->first, *next; o; o = next) {
        next = o->next;
        free(o);
    }
    list->first = list->last = NULL;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph)
{
    if (!recording.graph || stream != recording.origin) return cudaErrorStreamCaptureUnmatched;
    for (cudaStream_t s = device.streams; s; s = s->next) {
        if (s->recorded && s->loose) fail("a stream is not waited for at the end of a recording", s);
        s->recorded = false;
    }
    for (const block *b = device.blocks; b; b = b->next)
        if (b->used && b->recorded) fail("memory of a recording outlives it", device.memory + b->offset);
    *graph = recording.graph;
    recording.graph = NULL;
    if (!recording.spoilt) return cudaSuccess;
    cudaGraphDestroy(*graph);
    *graph = NULL;
    return cudaErrorStreamCaptureInvalidated;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *ready, cudaGraph_t graph, unsigned long long flags)
{
    (void)flags;
    *ready = calloc(1, sizeof **ready);
    for (const operation *o = graph->list.first; o; o = o->next) append(&(*ready)->list, *o, o->arguments);
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t ready, cudaStream_t stream)
{
    if (stream->recorded) return spoil();
    for (const operation *o = ready->list.first; o; o = o->next) ask(stream, *o, o->arguments);
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    empty(&graph->list);
    free(graph);
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t ready) { return cudaGraphDestroy(ready); }

/* --------------------------------------------------------------------------------------------------- what is asked */

cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes, cudaStream_t stream)
{
    if (!is_device(to)) fail("not in the memory of the device", to);
    ask(stream, (operation){.kind = FILL, .to = to, .value = value, .bytes = bytes}, NULL);
    return cudaSuccess;
}

/* Pageable memory of the host is copied aside at once, and copies to it are waited for; pinned memory is read and written
 * when the stream comes to it. */
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind, cudaStream_t stream)
{
    operation o = {.kind = MOVE, .to = to, .from = from, .bytes = bytes};
    if (is_device(to) != (kind != cudaMemcpyDeviceToHost)) fail("the wrong memory to copy to", to);
    if (is_device(from) != (kind != cudaMemcpyHostToDevice)) fail("the wrong memory to copy from", from);
    bool in = kind == cudaMemcpyHostToDevice && !is_pinned(from), out = kind == cudaMemcpyDeviceToHost && !is_pinned(to);
    if (stream->recorded && (in || out)) return spoil();
    if (in) o.held = memcpy(malloc(bytes), from, bytes);
    ask(stream, o, NULL);
    if (out) run_until(stream, stream->asked);
    return cudaSuccess;
}

/* Is this number an address of memory that the host has?  Only where addresses look like nothing else; not what is left in
 * the gap beside a small integer, of either sign. */
static bool is_host_address(uint64_t word)
{
#ifdef __x86_64__
    void *page = (void *)(word & ~(uint64_t)4095);
    bool small = (uint32_t)word + (1 << 16) <= 2 << 16;
    bool likely = (word >> 40 == 0x7f || word >> 40 == 0x55 || word >> 40 == 0x56) && !small;
    return likely && !is_device((void *)word) && msync(page, 1, MS_ASYNC) == 0;
#else
    (void)word;
    return false;
#endif
}

cudaError_t cudaLaunchKernel(const void *kernel, dim3 blocks, dim3 threads, void **arguments, size_t shared, cudaStream_t stream)
{
    (void)shared;
    uint64_t word[LAUNCH_BYTES / sizeof(uint64_t)];
    memcpy(word, arguments[0], sizeof word);
    for (size_t i = 0; i < LAUNCH_BYTES / sizeof(uint64_t); i++)
        if (is_host_address(word[i])) fail("a kernel is given an address of the host", (void *)word[i]);
    operation o = {.kind = LAUNCH, .kernel = (void (*)(const void *))kernel, .blocks = blocks, .threads = threads, .size = sizeof word};
    ask(stream, o, word);
    return cudaSuccess;
}

/* -------------------------------------------------------------------------------------------------------- the machine */

cudaError_t cudaDriverGetVersion(int *version)
{
    *version = (int)setting("STAND_IN_DRIVER", RUNTIME);
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *version)
{
    *version = RUNTIME;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int *count)
{
    if (setting("STAND_IN_DRIVER", RUNTIME) < RUNTIME) return cudaErrorInsufficientDriver;
    *count = (int)setting("STAND_IN_DEVICES", 1);
    return *count > 0 ? cudaSuccess : cudaErrorNoDevice;
}

cudaError_t cudaSetDevice(int number) { return number < (int)setting("STAND_IN_DEVICES", 1) ? cudaSuccess : cudaErrorInvalidValue; }

cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t *pool, int number)
{
    *pool = number;
    return cudaSuccess;
}

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, int attribute, void *value)
{
    (void)pool;
    (void)attribute;
    (void)value;
    return cudaSuccess;
}

/* Errors of recordings are those of the calls. */
cudaError_t cudaGetLastError(void) { return cudaSuccess; }

const char *cudaGetErrorString(cudaError_t error)
{
    switch (error) {
    case cudaSuccess: return "no error";
    case cudaErrorInvalidValue: return "invalid argument";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorInsufficientDriver: return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorStreamCaptureUnsupported:
    case cudaErrorStreamCaptureInvalidated:
    case cudaErrorStreamCaptureUnmatched: return "not while a stream is recorded";
    case cudaErrorNoDevice: return "no CUDA-capable device is detected";
    default: return "unknown error";
    }
}
