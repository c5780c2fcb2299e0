// Projection of slices along rays and its exact adjoint, all slices of a block at once.
//
// Slices ("lanes") are interleaved in the innermost dimension, as in back-projection. Both kernels
// gather: nothing is added by two work-items at one place. A ray walks the rows of the image, or
// of its transpose where it lies flatter than 45 degrees, and interpolates linearly between two
// pixels of each (Joseph). Seen from a pixel, the rays that touch it are the two beside it.
//
// Constants of the build:
//   VEC          vector of lanes: float, float4, float8 or float16
//   N_VECS       vectors of a pixel or sample, each the work of its own work-item
//   TILE_RAYS    rays, neighbours at one angle, of a tile of `project`, a multiple of N_RAYS
//   TILE_ANGLES  angles of that tile
//   N_RAYS       rays that are kept in registers
//   TILE         columns and rows of a tile of `back_project`
//   N_PIXELS     neighbouring pixels of a row that are kept in registers; divides TILE
//   N_ANGLES     angles worked through before the pixels of a tile are written back
//   PAD          pixels of zero before and after each row of an image; rays of a run reach so far
//
// No built-in function takes a VEC: those of 16 floats abort the compiler of PoCL 3.0.

#define FRACTION_BITS 32
#define ONE_AS_INT 0x3f800000u

// The fraction's highest bits become the mantissa of a float in [1, 2).
inline float fraction(const long index)
{
    return as_float(((uint)index >> 9) | ONE_AS_INT) - 1.f;
}

// Rows [x, y) of an image that a run of rays from index `left` to `right` in row 0 may touch.
inline int2 rows_touched(const float left, const float right, const float step, const int side)
{
    float first = 0.f, stop = (float)side;
    if (fabs(step) <= 1e-6f) {
        if (right < -1.f || left > (float)side)
            return (int2)(0, 0);
    } else {
        const float a = (-1.f - right) / step, b = ((float)side - left) / step;
        first = fmax(first, floor(fmin(a, b)));
        stop = fmin(stop, ceil(fmax(a, b)) + 1.f);
    }
    return (int2)((int)first, (int)fmax(first, stop));
}

// image, turned  (row, column, lane)     the image and its transpose, each row PAD + side + PAD
// rows           (angle, sample, lane)   out: weight * (target - integral), seen samples alone
// target         (angle, sample, lane)   used if has_target
// weights        (angle, sample)
// seen           (sample, lane)          1 where the detector has this sample, else 0
// walks          (angle)                 index of the pixel (fixed point) left of ray 0 in row 0,
//                                        from one ray to the next, from one row to the next; 1 if
//                                        the transpose is walked
// rays           (angle)                 x: length of a ray in a row, y: sine of the walk, z: where
//                                        row 0 lies, w: where ray 0 lies, both from the axis
// Global size (tiles of rays * N_VECS, tiles of angles).
__kernel void project(__global const VEC *restrict image, __global const VEC *restrict turned,
                      __global VEC *restrict rows, __global const VEC *restrict target,
                      __global const float *restrict weights, __global const VEC *restrict seen,
                      __global const long4 *restrict walks, __global const float4 *restrict rays,
                      const int n_samples, const int n_angles, const int side,
                      const float radius, const int has_target)
{
    const int vec = get_global_id(0) % N_VECS;
    const int first_ray = get_global_id(0) / N_VECS * TILE_RAYS;
    const int first_angle = get_global_id(1) * TILE_ANGLES;
    const int last_ray = min(first_ray + TILE_RAYS, n_samples);
    const int last_angle = min(first_angle + TILE_ANGLES, n_angles);
    const int stride = side + 2 * PAD;
    const float whole = 1.f / 4294967296.f;

    for (int angle = first_angle; angle < last_angle; angle++) {
        const long4 walk = walks[angle];
        const float4 ray = rays[angle];
        __global const VEC *source = (walk.w ? turned : image) + vec;
        const float across = walk.y * whole, down = walk.z * whole;
        const float cosine = 1.f / ray.x;
        for (int run = first_ray; run < last_ray; run += N_RAYS) {
            VEC sum[N_RAYS];
            #pragma unroll
            for (int k = 0; k < N_RAYS; k++)
                sum[k] = (VEC)(0.f);

            // Rows that the mask's circle leaves: half a chord on either side of the ray's foot.
            const float t = ray.w + run, t_last = t + (N_RAYS - 1);
            const float nearest = fmax(0.f, fmax(t, -t_last));
            const float half2 = radius * radius - nearest * nearest;
            if (half2 > 0) {
                const float half_rows = sqrt(half2) * cosine;
                const float foot = t * ray.y, foot_last = t_last * ray.y;
                const float left = walk.x * whole + run * across - PAD;
                const float right = left + (N_RAYS - 1) * across;
                const int2 box = rows_touched(fmin(left, right), fmax(left, right), down, side);
                const float top = fmin(foot, foot_last) - half_rows - ray.z;
                const float bottom = fmax(foot, foot_last) + half_rows - ray.z;
                const int y_first = max(box.x, (int)floor(top));
                const int y_stop = min(box.y, (int)ceil(bottom) + 1);
                long row_index = walk.x + run * walk.y + y_first * walk.z;
                __global const VEC *row = source + (size_t)y_first * stride * N_VECS;
                for (int y = y_first; y < y_stop; y++) {
                    long index = row_index;
                    #pragma unroll
                    for (int k = 0; k < N_RAYS; k++) {
                        __global const VEC *q = row + (index >> FRACTION_BITS) * N_VECS;
                        const float weight = fraction(index);
                        const VEC after = (VEC)(weight), before = (VEC)(1.f - weight);
                        sum[k] = before * q[0] + sum[k];
                        sum[k] = after * q[N_VECS] + sum[k];
                        index += walk.y;
                    }
                    row_index += walk.z;
                    row += stride * N_VECS;
                }
            }
            #pragma unroll
            for (int k = 0; k < N_RAYS; k++) {
                const int sample = run + k;
                if (sample < last_ray) {
                    const size_t place = (size_t)angle * n_samples + sample;
                    const VEC weight = seen[(size_t)sample * N_VECS + vec] * (VEC)(weights[place]);
                    VEC value = sum[k] * (VEC)(-ray.x);
                    if (has_target)
                        value = value + target[place * N_VECS + vec];
                    rows[place * N_VECS + vec] = value * weight;
                }
            }
        }
    }
}

// rows    (angle, sample, lane)
// image   (row, column, lane)     out: the sum over rays; 0 outside the chords
// steps   (angle)                 x: change of the sample's index (fixed point) for one pixel to the
//                                 right, y: for one pixel down, z: index at pixel [0, 0]
// rays    (angle)                 x: length of a ray in a row
// chords  (row)                   first pixel and one past the last that the mask lets through
// Global size (tiles across * N_VECS, tiles down).
__kernel void back_project(__global const VEC *restrict rows, __global VEC *restrict image,
                           __global const long4 *restrict steps,
                           __global const float4 *restrict rays,
                           __global const int2 *restrict chords,
                           const int n_samples, const int n_angles, const int side)
{
    const int vec = get_global_id(0) % N_VECS;
    const int tile_x = get_global_id(0) / N_VECS * TILE;
    const int tile_y = get_global_id(1) * TILE;
    const int last_x = min(tile_x + TILE, side);
    const int last_y = min(tile_y + TILE, side);
    const int stride = side + 2 * PAD;

    for (int first = 0; first < n_angles; first += N_ANGLES) {
        const int last = min(first + N_ANGLES, n_angles);
        for (int y = tile_y; y < last_y; y++) {
            const int2 chord = chords[y];
            for (int x = tile_x; x < last_x; x += N_PIXELS) {
                __global VEC *pixel = image + ((size_t)y * stride + PAD + x) * N_VECS + vec;
                VEC sum[N_PIXELS];
                #pragma unroll
                for (int k = 0; k < N_PIXELS; k++)
                    sum[k] = first == 0 ? (VEC)(0.f) : pixel[k * N_VECS];

                if (x + N_PIXELS > chord.x && x < chord.y) {
                    __global const VEC *row = rows + (size_t)first * n_samples * N_VECS + vec;
                    for (int angle = first; angle < last; angle++) {
                        const long4 step = steps[angle];
                        const float length = rays[angle].x, length2 = length * length;
                        long index = step.z + x * step.x + y * step.y;
                        #pragma unroll
                        for (int k = 0; k < N_PIXELS; k++) {
                            __global const VEC *q = row + (index >> FRACTION_BITS) * N_VECS;
                            const float slope = length2 * fraction(index);
                            const VEC before = (VEC)(fmax(length - slope, 0.f));
                            const VEC after = (VEC)(fmax(length - length2 + slope, 0.f));
                            sum[k] = before * q[0] + sum[k];
                            sum[k] = after * q[N_VECS] + sum[k];
                            index += step.x;
                        }
                        row += (size_t)n_samples * N_VECS;
                    }
                }
                #pragma unroll
                for (int k = 0; k < N_PIXELS; k++) {
                    const bool inside = x + k >= chord.x && x + k < chord.y;
                    if (x + k < last_x)
                        pixel[k * N_VECS] = inside ? sum[k] : (VEC)(0.f);
                }
            }
        }
    }
}

// The image with rows and columns exchanged.
// Global size (tiles across * N_VECS, tiles down).
__kernel void turn(__global const VEC *restrict image, __global VEC *restrict turned, const int side)
{
    const int vec = get_global_id(0) % N_VECS;
    const int tile_x = get_global_id(0) / N_VECS * TILE;
    const int tile_y = get_global_id(1) * TILE;
    const int stride = side + 2 * PAD;
    for (int y = tile_y; y < min(tile_y + TILE, side); y++)
        for (int x = tile_x; x < min(tile_x + TILE, side); x++)
            turned[((size_t)x * stride + PAD + y) * N_VECS + vec] =
                image[((size_t)y * stride + PAD + x) * N_VECS + vec];
}
