// Sums, steps and shrinkage of images and rays, all slices of a block at once.
//
// Arrays are (row, place, lane): images (row, column, lane) with their zeros beside them, and rays
// (angle, sample, lane). `factor` and the like hold one number a lane.
//
// Constants of the build:
//   LANES  slices of a block
//   WIDTH  lanes of a work-item; divides LANES
//   RUN    places of a row that a work-item takes
// Global size (runs of a row * LANES / WIDTH, rows).
//
// Lanes are looped over as single floats, which compilers make vectors of: built-in functions of 16
// floats abort the compiler of PoCL 3.0.

#define N_PARTS (LANES / WIDTH)

// The lanes and places of a work-item; `i` is a value's index, `lane` its slice.
#define EACH_VALUE(length)                                                                        \
    const int first_lane = get_global_id(0) % N_PARTS * WIDTH;                                    \
    const int start = get_global_id(0) / N_PARTS * RUN;                                           \
    const int row = get_global_id(1);                                                             \
    for (int place = start; place < min(start + RUN, length); place++)                            \
        for (int lane = first_lane; lane < first_lane + WIDTH; lane++)

#define INDEX(length) (((size_t)row * (length) + place) * LANES + lane)

// sums (row, run, lane)  of the squares of scale * value; scales (row, place) if has_scales
__kernel void sum_squares(__global const float *restrict values, __global float *restrict sums,
                          __global const float *restrict scales, const int has_scales,
                          const int length, const int n_runs)
{
    float sum[WIDTH];
    for (int k = 0; k < WIDTH; k++)
        sum[k] = 0.f;
    EACH_VALUE(length) {
        const float scale = has_scales ? scales[(size_t)row * length + place] : 1.f;
        const float value = scale * values[INDEX(length)];
        sum[lane - first_lane] += value * value;
    }
    const int first = get_global_id(0) % N_PARTS * WIDTH, run = get_global_id(0) / N_PARTS;
    if (run < n_runs)
        for (int k = 0; k < WIDTH; k++)
            sums[((size_t)get_global_id(1) * n_runs + run) * LANES + first + k] = sum[k];
}

// out = base + factor * values; out may be either of them
__kernel void add_scaled(__global float *out, __global const float *base,
                         __global const float *restrict factor, __global const float *values,
                         const int length)
{
    EACH_VALUE(length) {
        const size_t i = INDEX(length);
        out[i] = base[i] + factor[lane] * values[i];
    }
}

// values become 1 / (value + offset), or 0 where they are not above `least`
__kernel void invert(__global float *restrict values, const float offset, const float least,
                     const int length)
{
    EACH_VALUE(length) {
        const size_t i = INDEX(length);
        values[i] = values[i] > least ? 1.f / (values[i] + offset) : 0.f;
    }
}

// image += active * steps * gradient, not below `lowest`
__kernel void step_along(__global float *restrict image, __global const float *restrict gradient,
                         __global const float *restrict steps,
                         __global const float *restrict active, const float lowest,
                         const int length)
{
    EACH_VALUE(length) {
        const size_t i = INDEX(length);
        image[i] = fmax(image[i] + active[lane] * steps[i] * gradient[i], lowest);
    }
}

// dual = (1 - share) * dual + share * residual; shares (angle, sample)
__kernel void pull_rays(__global float *restrict dual, __global const float *restrict residual,
                        __global const float *restrict shares, const int length)
{
    EACH_VALUE(length) {
        const size_t i = INDEX(length);
        const float share = shares[(size_t)row * length + place];
        dual[i] += share * (residual[i] - dual[i]);
    }
}

// The dual of the gradient (across, down) goes half the image's gradient on, then back into the
// disc of radius `bound`. Differences between two pixels inside the chords count.
__kernel void shrink_gradient(__global float *restrict across, __global float *restrict down,
                              __global const float *restrict image,
                              __global const int2 *restrict chords,
                              __global const float *restrict bound, const int side,
                              const int pad, const int length)
{
    const int2 chord = chords[get_global_id(1)];
    const int2 below = (int)get_global_id(1) + 1 < side ? chords[get_global_id(1) + 1] : (int2)(0, 0);
    EACH_VALUE(length) {
        const int x = place - pad;
        if (x < chord.x || x >= chord.y)
            continue;
        const size_t i = INDEX(length);
        const bool has_below = x >= below.x && x < below.y;
        const float value = image[i];
        const float a = x + 1 < chord.y ? across[i] + 0.5f * (image[i + LANES] - value) : 0.f;
        const float d = has_below ? down[i] + 0.5f * (image[i + (size_t)length * LANES] - value) : 0.f;
        const float size = sqrt(a * a + d * d);
        const float keep = size > bound[lane] ? bound[lane] / size : 1.f;
        across[i] = keep * a;
        down[i] = keep * d;
    }
}

// image goes along steps * (gradient + divergence), not below `lowest`, where `active`; ahead, which
// holds the gradient, becomes the point as far beyond the new image as it is from the old.
__kernel void step_ahead(__global float *restrict image, __global float *restrict ahead,
                         __global const float *restrict steps, __global const float *restrict across,
                         __global const float *restrict down, __global const float *restrict active,
                         const float lowest, const int length)
{
    EACH_VALUE(length) {
        const size_t i = INDEX(length);
        const float step = steps[i];
        if (step > 0.f) {
            float pull = ahead[i] + across[i] - across[i - LANES] + down[i];
            if (row > 0)
                pull -= down[i - (size_t)length * LANES];
            const float old = image[i], now = fmax(old + step * pull, lowest);
            image[i] = old + active[lane] * (now - old);
            ahead[i] = 2.f * now - old;
        }
    }
}

// slices (slice, row, column)  out: a region of the image, its values times `scale`
// Global size (columns, rows) of the region.
__kernel void cut_slices(__global const float *restrict image, __global float *restrict slices,
                         const int n_slices, const int width, const int height,
                         const int first, const int stride, const float scale)
{
    const int x = get_global_id(0), y = get_global_id(1);
    if (x >= width)
        return;
    const size_t from = (first + (size_t)y * stride + x) * LANES;
    for (int slice = 0; slice < n_slices; slice++)
        slices[((size_t)slice * height + y) * width + x] = scale * image[from + slice];
}
