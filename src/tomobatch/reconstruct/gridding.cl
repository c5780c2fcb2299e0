// Gridding: the spectra of all rows, which lie on lines through the origin of the slice's frequency
// plane, are spread onto a Cartesian grid, for all slices of a block at once.
//
// Constants of the build:
//   LANES   slices of a block (even); slice l and slice l + LANES/2 share a complex value of the
//           grid, as its real and imaginary part once it is transformed
//   WIDTH   floats of a vector, at most LANES
//   W       grid points that a sample is spread to along an axis, at most 8
//   DEGREE  of the polynomials that give the weights of the W points
//   TILE    grid points along the side of a tile
//   RUN     columns of a row that a work-item of `cut` takes
//   BATCH   samples whose weights a group of `spread_shared` holds at a time
//   STREAM  1: writes of the grid go past the caches (a builtin of the compilers of CPU devices)
#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#define VEC PASTE(float, WIDTH)
#define N_VECS (2 * LANES / WIDTH)
#define EDGE (TILE + 2 * W)

#if WIDTH == 2
#define SWAP(v) (v).yx
#define CONJ ((VEC)(1, -1))
#elif WIDTH == 4
#define SWAP(v) (v).yxwz
#define CONJ ((VEC)(1, -1, 1, -1))
#elif WIDTH == 8
#define SWAP(v) (v).s10325476
#define CONJ ((VEC)(1, -1, 1, -1, 1, -1, 1, -1))
#else
#define SWAP(v) (v).s1032547698badcfe
#define CONJ ((VEC)(1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1))
#endif

#if STREAM
#define STORE(address, value) __builtin_nontemporal_store(value, address)
#else
#define STORE(address, value) *(address) = (value)
#endif

// Values of k, first and last, for which k * step lies in the square of side 2 * reach about the
// centre. No component of step is 0.
int2 crossing(const float2 step, const float2 centre, const float reach, const int n_k)
{
    const float2 a = (centre - reach) / step, b = (centre + reach) / step;
    const float first = fmax(fmin(a.x, b.x), fmin(a.y, b.y));
    const float last = fmin(fmax(a.x, b.x), fmax(a.y, b.y));
    const float end = n_k;
    return (int2)((int)ceil(clamp(first, 1 - end, end)), (int)floor(clamp(last, -end, end - 1)));
}

// Spread samples to the half of the grid with v >= 0: real slices give the other half by symmetry.
// A tile of the grid stays in local memory while all lines that cross it are worked through.
//   samples  (line, k, lane) complex
//   lines    (line) step from k to k + 1, in grid points; y not negative
//   taps     (DEGREE + 1) coefficients of the weights of points 0 .. W - 1, constant term first
//   starts   (tile + 1) where the visits of each tile start
//   visits   (visit) .xy grid point of the tile's corner; an alias of the tile, n_grid away, is a
//            visit of its own; .zw the lines that may cross it, [z, w), wrapping
//   grid     (v, u, pair of lanes) complex, zero frequency first, both halves
// One work-group of one work-item a tile; global size (tiles across, tiles down).
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void spread_alone(__global const VEC *restrict samples, __global const float2 *restrict lines,
            __global const float8 *restrict taps, __global const int *restrict starts,
            __global const int4 *restrict visits, __global VEC *restrict grid, const int n_lines,
            const int n_k, const int n_grid)
{
    __local VEC tile[EDGE * EDGE * N_VECS];
    const int id = get_group_id(1) * get_num_groups(0) + get_group_id(0);
    for (int i = 0; i < EDGE * EDGE * N_VECS; i++)
        tile[i] = (VEC)(0.f);

    for (int i = starts[id]; i < starts[id + 1]; i++) {
        const int4 visit = visits[i];
        const float2 corner = convert_float2(visit.xy);
        for (int j = visit.z; j < visit.w; j++) {
            const int line = j < n_lines ? j : j - n_lines;
            const float2 step = lines[line];
            const int2 span = crossing(step, corner + 0.5f * (TILE - 1), 0.5f * (TILE - 1 + W), n_k);
            for (int k = span.x; k <= span.y; k++) {
                // Leftmost and topmost of the W points, W being the tile's corner; never negative.
                const float2 at = k * step - corner + (0.5f * W + 1);
                const int2 first = convert_int2(at);
                const float2 f = 2 * (at - convert_float2(first)) - 1;
                float8 wx = taps[DEGREE], wy = taps[DEGREE];
#pragma unroll
                for (int d = DEGREE - 1; d >= 0; d--) {
                    wx = wx * f.x + taps[d];
                    wy = wy * f.y + taps[d];
                }
                float across[8], down[8];
                vstore8(wx, 0, across);
                vstore8(wy, 0, down);

                __global const VEC *sample = samples + ((size_t)line * n_k + abs(k)) * N_VECS;
                const VEC sign = k < 0 ? CONJ : (VEC)(1.f);
                VEC value[N_VECS];
#pragma unroll
                for (int v = 0; v < N_VECS; v++)
                    value[v] = sample[v] * sign;
                __local VEC *point = tile + (first.y * EDGE + first.x) * N_VECS;
#pragma unroll
                for (int y = 0; y < W; y++) {
                    VEC part[N_VECS];
#pragma unroll
                    for (int v = 0; v < N_VECS; v++)
                        part[v] = value[v] * down[y];
#pragma unroll
                    for (int x = 0; x < W; x++) {
#pragma unroll
                        for (int v = 0; v < N_VECS; v++)
                            point[x * N_VECS + v] += part[v] * across[x];
                    }
                    point += EDGE * N_VECS;
                }
            }
        }
    }

    // The transform is to put the origin of the output in the middle of the array: signs alternate.
    const int v0 = get_group_id(1) * TILE, u0 = get_group_id(0) * TILE;
    for (int y = 0; y < min(TILE, n_grid / 2 + 1 - v0); y++) {
        const int v = v0 + y, mirror_v = n_grid - v;
        for (int x = 0; x < min(TILE, n_grid - u0); x++) {
            const int shifted = u0 + x - n_grid / 2, u = shifted < 0 ? shifted + n_grid : shifted;
            const int mirror_u = u == 0 ? 0 : n_grid - u;
            const float sign = (u ^ v) & 1 ? -1.f : 1.f;
            __local const VEC *point = tile + ((y + W) * EDGE + x + W) * N_VECS;
            __global VEC *to = grid + ((size_t)v * n_grid + u) * (N_VECS / 2);
            __global VEC *mirror = grid + ((size_t)mirror_v * n_grid + mirror_u) * (N_VECS / 2);
            for (int i = 0; i < N_VECS / 2; i++) {
                const VEC a = sign * point[i], b = sign * point[i + N_VECS / 2];
                const VEC turned = -CONJ * SWAP(b);
                STORE(to + i, a + turned);
                if (v > 0 && 2 * v < n_grid)
                    STORE(mirror + i, CONJ * (a - turned));
            }
        }
    }
}

// Cut the output from the transformed grid, undo the fall-off that spreading causes, mask it and
// take the slices apart.
//   grid     (row, column, pair of lanes) complex; the output starts at [origin.y, origin.x]
//   across   (width) factor of each column
//   down     (height) factor of each row
//   slices   (slice, row, column)
//   first    position of pixel [0, 0] from the axis, in detector pixels
//   step     distance of pixels
//   radius2  square of the mask's radius, or a negative number for no mask
// One work-item RUN columns of a row; global size (runs, rows).
__kernel void cut(__global const float2 *restrict grid, __global const float *restrict across,
                  __global const float *restrict down, __global float *restrict slices,
                  const int n_slices, const int width, const int height, const int n_grid,
                  const int2 origin, const float2 first, const float step, const float radius2)
{
    const int start = get_global_id(0) * RUN, row = get_global_id(1);
    if (start >= width || row >= height)
        return;
    const float y = first.y + row * step;
    const size_t from = ((size_t)(row + origin.y) * n_grid + origin.x + start) * (LANES / 2);
#if RUN == 1
    // Neighbours write neighbours: nothing is gained by writing a run, which would not fit registers.
    const float x = first.x + start * step;
    const bool inside = radius2 < 0 || x * x + y * y <= radius2;
    const float factor = inside ? across[start] * down[row] : 0.f;
    const size_t to = (size_t)row * width + start, apart = (size_t)height * width;
#pragma unroll
    for (int pair = 0; pair < LANES / 2; pair++) {
        const float2 both = factor * grid[from + pair];
        if (pair < n_slices)
            slices[pair * apart + to] = both.x;
        if (pair + LANES / 2 < n_slices)
            slices[(pair + LANES / 2) * apart + to] = both.y;
    }
#else
    const int stop = min(start + RUN, width);
    float block[LANES * RUN];
    for (int i = 0; i < stop - start; i++) {
        const float x = first.x + (start + i) * step;
        const bool inside = radius2 < 0 || x * x + y * y <= radius2;
        const float factor = inside ? across[start + i] * down[row] : 0.f;
        for (int pair = 0; pair < LANES / 2; pair++) {
            const float2 both = factor * grid[from + i * (LANES / 2) + pair];
            block[pair * RUN + i] = both.x;
            block[(pair + LANES / 2) * RUN + i] = both.y;
        }
    }
    for (int slice = 0; slice < n_slices; slice++) {
        __global float *to = slices + ((size_t)slice * height + row) * width + start;
        for (int i = 0; i < stop - start; i++)
            to[i] = block[slice * RUN + i];
    }
#endif
}

// As `spread_alone`, for devices whose local memory is their own: a work-group of 2 LANES x W
// work-items, one for each float of a sample and for every W-th row of the tile. Each sample reaches
// at most one row of every work-item, and no two work-items write to the same place.
//
// The group works out the weights of a batch of samples together, each once, and holds no halo:
// what a sample would spread beyond the tile gets the weight 0 and is added inside. So W points of a
// row, TILE being no less, are always W places, that are read and written side by side.
#define STRIDE ((TILE + 1) * 2 * LANES)  // a row more than its points, for other banks
#define N_ITEMS (2 * LANES * W)

__kernel __attribute__((reqd_work_group_size(2 * LANES, W, 1)))
void spread_shared(__global const float *restrict samples, __global const float2 *restrict lines,
                   __global const float *restrict taps, __global const int *restrict starts,
                   __global const int4 *restrict visits, __global float *restrict grid,
                   const int n_lines, const int n_k, const int n_grid)
{
    __local float tile[TILE * STRIDE];
    __local float values[BATCH * 2 * LANES], across[BATCH * W], down[BATCH * W];
    __local int2 places[BATCH];  // first point of each sample, in the tile
    const int item = get_local_id(0), row = get_local_id(1), number = row * 2 * LANES + item;
    const int id = get_group_id(1) * get_num_groups(0) + get_group_id(0);
    for (int i = number; i < TILE * STRIDE; i += N_ITEMS)
        tile[i] = 0.f;

    for (int i = starts[id]; i < starts[id + 1]; i++) {
        const int4 visit = visits[i];
        const float2 corner = convert_float2(visit.xy);
        for (int j = visit.z; j < visit.w; j++) {
            const int line = j < n_lines ? j : j - n_lines;
            const float2 step = lines[line];
            const int2 span = crossing(step, corner + 0.5f * (TILE - 1), 0.5f * (TILE - 1 + W), n_k);
            for (int start = span.x; start <= span.y; start += BATCH) {
                const int n = min(BATCH, span.y + 1 - start);
                barrier(CLK_LOCAL_MEM_FENCE);
                for (int b = number; b < n * 2 * W; b += N_ITEMS) {
                    const int s = b / (2 * W), tap = b % W;
                    const bool is_down = b % (2 * W) >= W;
                    // Never negative, W being the tile's corner.
                    const float2 at = (start + s) * step - corner + (0.5f * W + 1);
                    const int2 first = convert_int2(at);
                    const float2 both = 2 * (at - convert_float2(first)) - 1;
                    const float f = is_down ? both.y : both.x;
                    float weight = taps[DEGREE * 8 + tap];
#pragma unroll
                    for (int d = DEGREE - 1; d >= 0; d--)
                        weight = weight * f + taps[d * 8 + tap];
                    const int place = (is_down ? first.y : first.x) - W + tap;
                    weight = place >= 0 && place < TILE ? weight : 0.f;
                    if (is_down)
                        down[s * W + tap] = weight;
                    else
                        across[s * W + tap] = weight;
                    if (b % (2 * W) == 0)
                        places[s] = first - W;
                }
                for (int s = row; s < n; s += W) {
                    const int k = start + s;
                    const float value = samples[((size_t)line * n_k + abs(k)) * 2 * LANES + item];
                    values[s * 2 * LANES + item] = k < 0 && (item & 1) ? -value : value;
                }
                barrier(CLK_LOCAL_MEM_FENCE);
                for (int s = 0; s < n; s++) {
                    const int2 first = places[s];
                    const int y = (row + 2 * W - (first.y + W) % W) % W;
                    if (first.y + y < 0 || first.y + y >= TILE)
                        continue;
                    const float value = values[s * 2 * LANES + item] * down[s * W + y];
                    __local float *point = tile + (first.y + y) * STRIDE + item;
                    float sum[W];
#pragma unroll
                    for (int x = 0; x < W; x++)
                        sum[x] = point[((first.x + x) & (TILE - 1)) * 2 * LANES]
                               + value * across[s * W + x];
#pragma unroll
                    for (int x = 0; x < W; x++)
                        point[((first.x + x) & (TILE - 1)) * 2 * LANES] = sum[x];
                }
            }
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE);

    // The first half of the work-items write the points, the second half their mirror images.
    const int v0 = get_group_id(1) * TILE, u0 = get_group_id(0) * TILE;
    const int to = item % LANES, is_mirror = item >= LANES, is_im = to & 1;
    for (int y = row; y < min(TILE, n_grid / 2 + 1 - v0); y += W) {
        const int v = v0 + y, has_mirror = v > 0 && 2 * v < n_grid;
        for (int x = 0; x < min(TILE, n_grid - u0); x++) {
            const int shifted = u0 + x - n_grid / 2, u = shifted < 0 ? shifted + n_grid : shifted;
            const int mirror_u = u == 0 ? 0 : n_grid - u;
            __local const float *point = tile + y * STRIDE + x * 2 * LANES;
            const float a = point[to], b = point[LANES + (to ^ 1)];
            const float turned = is_im ? b : -b, sign = (u ^ v) & 1 ? -1.f : 1.f;
            if (!is_mirror)
                grid[((size_t)v * n_grid + u) * LANES + to] = sign * (a + turned);
            else if (has_mirror)
                grid[((size_t)(n_grid - v) * n_grid + mirror_u) * LANES + to] =
                    sign * (is_im ? turned - a : a - turned);
        }
    }
}
