// From raw counts to line integrals: dark, flat, bad pixels, zingers, clip and logarithm in one go.
//
// A work-group takes one tile of one projection: it puts the tile's transmission, with a halo, into
// local memory, and reads it from there as windows. Work is done in strips of 8 pixels side by side.
//
// Constants of the build:
//   RAW, RAW8       type of a raw count, and the vector of 8 of it
//   N_ITEMS         work-items of a group
//   TILE_X, TILE_Y  columns (a multiple of 8) and rows of a tile
//   ZINGERS         0 keeps zingers

#define STRIP 8
#define HALO 2
#define WINDOW ((2 * HALO + 1) * (2 * HALO + 1))
// A hit can light up this many pixels of a window.
#define LARGEST_HIT 6
#define N_NEIGHBOURS 8
#define STRIDE (TILE_X + 2 * HALO + STRIP)

// What the projection is divided by: signal (flat minus dark) = before + share * (after - before).
// Bad pixels have a signal of zero in both.
typedef struct {
    __global const RAW *raw;
    __global const float *dark;
    __global const float *before;
    __global const float *after;
    float share;
    __global const int *bad_index;
    __global const int *neighbours;
    __global const float *weights;
} Projection;

#define LANES ((int8)(0, 1, 2, 3, 4, 5, 6, 7))

int sum(const int8 lanes)
{
    const int4 four = lanes.lo + lanes.hi;
    return four.x + four.y + four.z + four.w;
}

bool some(const int8 lanes)
{
    const long4 pairs = as_long4(lanes);
    return (pairs.x | pairs.y | pairs.z | pairs.w) != 0;
}

// Natural logarithm of positive normal numbers, to one unit in the last place: the built-in one
// costs as much as all the rest. Polynomial and split of ln 2 from the Cephes library (S. Moshier).
float8 log_positive(const float8 x)
{
    const int8 bits = as_int8(x);
    const int8 exponent = (bits - as_int(M_SQRT1_2_F)) >> 23;
    const float8 excess = as_float8(bits - (exponent << 23)) - 1.f;
    const float8 power = convert_float8(exponent);
    float8 sum = 7.0376836292e-2f;
    sum = sum * excess - 1.1514610310e-1f;
    sum = sum * excess + 1.1676998740e-1f;
    sum = sum * excess - 1.2420140846e-1f;
    sum = sum * excess + 1.4249322787e-1f;
    sum = sum * excess - 1.6668057665e-1f;
    sum = sum * excess + 2.0000714765e-1f;
    sum = sum * excess - 2.4999993993e-1f;
    sum = sum * excess + 3.3333331174e-1f;
    const float8 square = excess * excess;
    const float8 small = sum * excess * square + (power * -2.12194440e-4f - 0.5f * square);
    return power * 0.693359375f + (excess + small);
}

// Mirrored with the edge repeated, so that the pixels of an edge are many in their own window: else
// transmission that rises towards the edge would look like a zinger there.
int mirrored(int index, const int size)
{
    index = (index < 0 ? -1 - index : index) % (2 * size);
    return min(index, 2 * size - 1 - index);
}

float reading(const Projection *projection, const int pixel)
{
    const float before = projection->before[pixel];
    const float signal = before + projection->share * (projection->after[pixel] - before);
    return ((float)projection->raw[pixel] - projection->dark[pixel]) / signal;
}

float transmission_at(const Projection *projection, const int pixel)
{
    const int bad = projection->bad_index[pixel];
    if (bad < 0)
        return reading(projection, pixel);
    float sum = 0.f;
    for (int k = bad * N_NEIGHBOURS; k < (bad + 1) * N_NEIGHBOURS; k++)
        sum += projection->weights[k] * reading(projection, projection->neighbours[k]);
    return sum;
}

// The transmission the seventh brightest pixel of the window must reach, or this one is a zinger.
float needed(const float here, const float zinger_share, const float noise)
{
    const float root = 0.5f * (sqrt(noise * noise + 4.f * here) - noise);
    return min(here * zinger_share, root * root);
}

float without_zinger(__local const float *centre, const float zinger_share, const float noise,
                     int *n_zingers)
{
    const float least = needed(*centre, zinger_share, noise);
    float window[WINDOW];
    int n_as_bright = 0;
    for (int k = 0; k < WINDOW; k++) {
        const int y = k / (2 * HALO + 1) - HALO, x = k % (2 * HALO + 1) - HALO;
        window[k] = centre[y * STRIDE + x];
        n_as_bright += window[k] >= least;
    }
    if (n_as_bright > LARGEST_HIT)
        return *centre;
    *n_zingers += 1;
    for (int k = 0; k < WINDOW; k++) {
        int below = 0, equal = 0;
        for (int other = 0; other < WINDOW; other++) {
            below += window[other] < window[k];
            equal += window[other] == window[k];
        }
        if (below <= WINDOW / 2 && WINDOW / 2 < below + equal)
            return window[k];
    }
    return *centre;
}

// raw             (angle, y, x)           counts
// line_integrals  (angle, y, x)
// counts          (angle, kind)           zingers, clipped, saturated pixels; zero at the start
// signals         (series, y, x)          flat minus dark, in counts; zero for bad pixels
// dark            (y, x)                  counts
// series, shares  (angle)                 the series before it, and the share of the next one
// bad_index       (y, x)                  number of a bad pixel, -1 for a good one
// neighbours, weights  (bad, 8)           good pixels that stand in for it, as y * n_x + x
// zinger_share    the reciprocal of how many times brighter than its surroundings a zinger is
// noise           how far above, times the root of transmission, is still photon noise
// lowest, added   what transmission is clipped to from below, and what is then added to it
// One work-group a tile and projection; global size (angles * N_ITEMS, tiles across, tiles down).
__kernel __attribute__((reqd_work_group_size(N_ITEMS, 1, 1)))
void normalise(__global const RAW *restrict raw, __global float *restrict line_integrals,
               __global int *restrict counts, __global const float *restrict signals,
               __global const float *restrict dark, __global const int *restrict series,
               __global const float *restrict shares, __global const int *restrict bad_index,
               __global const int *restrict neighbours, __global const float *restrict weights,
               const int n_y, const int n_x, const int last_series, const float zinger_share,
               const float noise, const float lowest, const float added, const float highest,
               const float saturation)
{
    __local float tile[(TILE_Y + 2 * HALO) * STRIDE];
    const int item = get_local_id(0), number = get_group_id(0);
    const int first_x = get_group_id(1) * TILE_X, first_y = get_group_id(2) * TILE_Y;
    const int width = min(TILE_X, n_x - first_x), height = min(TILE_Y, n_y - first_y);
    const int n_strips = width / STRIP;
    const size_t n_pixels = (size_t)n_y * n_x;
    const int before = series[number], after = min(before + 1, last_series);
    const Projection projection = {raw + number * n_pixels, dark, signals + before * n_pixels,
                                   signals + after * n_pixels, shares[number], bad_index,
                                   neighbours, weights};

    int8 n_saturated = 0;
    for (int row = 0; row < height + 2 * HALO; row++) {
        const int y = mirrored(first_y + row - HALO, n_y);
        const int in_tile = row >= HALO && row < height + HALO ? -1 : 0;
        __local float *to = tile + row * STRIDE + HALO;
        for (int strip = item; strip < n_strips; strip += N_ITEMS) {
            const int pixel = y * n_x + first_x + strip * STRIP;
            const float8 value = convert_float8(vload8(0, projection.raw + pixel));
            const float8 one = vload8(0, projection.before + pixel);
            const float8 other = vload8(0, projection.after + pixel);
            const float8 signal = one + projection.share * (other - one);
            vstore8((value - vload8(0, dark + pixel)) / signal, 0, to + strip * STRIP);
            n_saturated -= (value >= saturation) & in_tile;
            if (some(one == 0.f))
                for (int k = 0; k < STRIP; k++)
                    to[strip * STRIP + k] = transmission_at(&projection, pixel + k);
        }
        for (int k = item - HALO; k < HALO + width - n_strips * STRIP; k += N_ITEMS) {
            const int x = k < 0 ? k : k + n_strips * STRIP;
            const int pixel = y * n_x + mirrored(first_x + x, n_x);
            to[x] = transmission_at(&projection, pixel);
            if (in_tile && k >= 0 && x < width)
                n_saturated.s0 += (float)projection.raw[pixel] >= saturation;
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE);

    int n_zingers = 0;
    int8 n_clipped = 0;
    for (int row = 0; row < height; row++) {
        __global float *to = line_integrals + number * n_pixels + (first_y + row) * n_x + first_x;
        for (int strip = item; strip * STRIP < width; strip += N_ITEMS) {
            __local const float *from = tile + (row + HALO) * STRIDE + HALO + strip * STRIP;
            const int n_here = min(STRIP, width - strip * STRIP);
            float8 here = vload8(0, from);
#if ZINGERS
            // Six neighbours bright enough: with the pixel itself, more than a hit lights up.
            const float8 across = min(min(vload8(0, from - 2), vload8(0, from - 1)),
                                      min(vload8(0, from + 1), vload8(0, from + 2)));
            const float8 beside = min(vload8(0, from - STRIDE), vload8(0, from + STRIDE));
            const int8 suspect = min(across, beside) < here * zinger_share && here > lowest;
            if (some(suspect)) {
                float lanes[STRIP];
                vstore8(here, 0, lanes);
                for (int k = 0; k < n_here; k++)
                    if (lanes[k] > lowest)
                        lanes[k] = without_zinger(from + k, zinger_share, noise, &n_zingers);
                here = vload8(0, lanes);
            }
#endif
            const float8 clipped = clamp(here, lowest, highest);
            n_clipped -= (clipped != here) & (LANES < n_here);
            const float8 result = -log_positive(clipped + added);
            if (n_here == STRIP) {
                vstore8(result, 0, to + strip * STRIP);
            } else {
                float lanes[STRIP];
                vstore8(result, 0, lanes);
                for (int k = 0; k < n_here; k++)
                    to[strip * STRIP + k] = lanes[k];
            }
        }
    }
    atomic_add(counts + number * 3, n_zingers);
    atomic_add(counts + number * 3 + 1, sum(n_clipped));
    atomic_add(counts + number * 3 + 2, sum(n_saturated));
}
