// Projection of a volume along the rays of a cone and its exact adjoint.
//
// A ray walks the rows of the slices, or their columns where it lies flatter than 45 degrees, and
// interpolates bilinearly between the four voxels around it (Joseph). Seen from above, all rays of
// a detector's column are one: the walk, and how far down the way from the source it has come, hold
// for the whole column, along which everything runs with unit stride. The height of the ray of row v
// is t (v - centre), so that rows and voxels are hats over each other with a stretch near 1: a vector
// of neighbours is summed by a few loads of neighbours, as in columns.cl. Both kernels gather.
//
// Constants of the build:
//   WIDTH   floats of a vector: 8 on a CPU, 1 on a GPU
//   N_VECS  vectors of a work-item
//   GROUP   work-items that lie side by side along z or the rows
//   PAD     zeros before and after every column of voxels, and of rows in `back_project`
//
// image    (y, x, z)             z innermost; zero outside of the chords
// walks    (angle, column)       s0: place across in plane 0, s1: from one plane to the next, s2: share
//                                of the way to the detector there, s3: from one plane to the next,
//                                s4, s5: square of a ray's length in a plane, its part by row^2
// spans    (angle, column)       x: 0 where planes are rows of the slice, 1 where they are columns;
//                                [y, z): planes that the mask leaves

#define STRIDE (GROUP * WIDTH)
// The first of the neighbours that a work-item computes, of N_VECS * STRIDE.
#define FIRST(id) ((int)((id) / GROUP * (GROUP * WIDTH * N_VECS) + (id) % GROUP * WIDTH))

#if WIDTH == 8
typedef float8 vec;
typedef float8 loose __attribute__((aligned(4)));  // eight floats at any float's address
#define COUNT ((float8)(0, 1, 2, 3, 4, 5, 6, 7))
#define LOAD(place) (*(__global const loose *)(place))
#define KEEP(place, value) (*(__global loose *)(place) = (value))
#else
typedef float vec;
#define COUNT 0.f
#define LOAD(place) (*(place))
#define KEEP(place, value) (*(place) = (value))
#endif

// Hats of neighbours at centre + j * step, j = 0...; of whole numbers those inside are from `first`
// on, and `n` of them may be. `from` is the distance of the first from the hats' centres.
typedef struct {
    int first;
    vec from;
} hats;

static inline hats hats_at(const float centre, const float step, const float reach)
{
    hats found;
    const float drift = step - 1.f;
    found.first = (int)floor(centre + min(drift, 0.f) * (WIDTH - 1) - reach) + 1;
    found.from = ((float)found.first - centre) - drift * COUNT;
    return found;
}

static inline int n_inside(const float step, const float reach)
{
    return (int)ceil(fabs(step - 1.f) * (WIDTH - 1) + 2.f * reach);
}

static inline vec share_of(const vec from, const float steepness)
{
    return max(1.f - fabs(from) * steepness, (vec)(0.f));
}

static inline float length_at(const float8 walk, const float row)
{
    return sqrt(walk.s4 + walk.s5 * row * row);
}

// rows     (angle, column, row)   out: weight * seen * (target - integral)
// target   (angle, column, row)   used if has_target
// weights  (angle, column, row)
// seen     (column, row)
// centres  (angle)                row of the principal point
// Global size (work-items along the rows, columns, angles).
__kernel void project(__global const float *restrict image, __global float *restrict rows,
                      __global const float *restrict target,
                      __global const float *restrict weights, __global const float *restrict seen,
                      __global const float8 *restrict walks, __global const int4 *restrict spans,
                      __global const float *restrict centres, const int n_columns, const int n_rows,
                      const int side, const int n_z, const float plane, const int has_target)
{
    const int v0 = FIRST(get_global_id(0));
    const int column = get_global_id(1), angle = get_global_id(2);
    const size_t line = (size_t)angle * n_columns + column;
    const float8 walk = walks[line];
    const int4 span = spans[line];
    const float centre = centres[angle];
    const size_t along = (size_t)n_z * (span.x ? 1 : side), across = (size_t)n_z * (span.x ? side : 1);

    vec sum[N_VECS];
    for (int k = 0; k < N_VECS; k++)
        sum[k] = 0.f;
    for (int p = span.y; p < span.z; p++) {
        const float place = walk.s0 + p * walk.s1, whole = floor(place);
        const int i = (int)whole;
        if (i < -1 || i >= side)
            continue;
        const float before = i >= 0 ? 1.f - (place - whole) : 0.f;
        const float after = i + 1 < side ? place - whole : 0.f;
        __global const float *left = image + p * along + max(i, 0) * across;
        __global const float *right = image + p * along + min(i + 1, side - 1) * across;
        const float t = walk.s2 + p * walk.s3;
        const int n_taps = n_inside(t, 1.f);
        for (int k = 0; k < N_VECS; k++) {
            const float z = plane + t * (v0 + k * STRIDE - centre);
            if (z + t * (WIDTH - 1) <= PAD - 1 || z >= n_z - PAD)
                continue;
            const hats tap = hats_at(z, t, 1.f);
            vec from = tap.from, found = 0.f;
            for (int n = 0; n < n_taps; n++, from += 1.f)
                found += share_of(from, 1.f) *
                         (before * LOAD(left + tap.first + n) + after * LOAD(right + tap.first + n));
            sum[k] += found;
        }
    }
    for (int k = 0; k < N_VECS; k++) {
        float values[WIDTH] __attribute__((aligned(32)));  // or PoCL stores past it
        *(vec *)values = sum[k];
        for (int j = 0; j < WIDTH; j++) {
            const int v = v0 + k * STRIDE + j;
            if (v < n_rows) {
                const size_t sample = (size_t)column * n_rows + v;
                const size_t at = (size_t)angle * n_columns * n_rows + sample;
                const float integral = values[j] * length_at(walk, v - centre);
                rows[at] = weights[at] * seen[sample] * ((has_target ? target[at] : 0.f) - integral);
            }
        }
    }
}

// stretched  (angle, column, row)  out: rows of some angles times the length of a ray in a plane,
//                                  PAD zeros before and after each column
// Global size (PAD + n_rows + PAD, columns, angles).
__kernel void stretch(__global const float *restrict rows, __global float *restrict stretched,
                      __global const float8 *restrict walks, __global const float *restrict centres,
                      const int first_angle, const int n_columns, const int n_rows)
{
    const int v = (int)get_global_id(0) - PAD;
    const int column = get_global_id(1), angle = first_angle + get_global_id(2);
    const size_t line = (size_t)angle * n_columns + column;
    const size_t out = (get_global_id(2) * n_columns + column) * (n_rows + 2 * PAD);
    const bool inside = v >= 0 && v < n_rows;
    stretched[out + get_global_id(0)] =
        inside ? rows[line * n_rows + v] * length_at(walks[line], v - centres[angle]) : 0.f;
}

// stretched  (angle, column, row)  of n_angles angles from `first_angle` on
// image                            the sum over rays is added, or kept if is_first
// views      (angle)               cosine, sine, principal column, principal row
// chords     (y)                   first pixel and one past the last that the mask lets through
// first      x and y of the first pixel from the axis, in voxels; `pitch` that of pixels
// Global size (work-items along z, columns, rows of a slice).
__kernel void back_project(__global const float *restrict stretched, __global float *restrict image,
                           __global const float8 *restrict walks, __global const int4 *restrict spans,
                           __global const float4 *restrict views, __global const int2 *restrict chords,
                           const float source, const float axis_shift, const float2 first,
                           const float pitch, const float plane, const int first_angle,
                           const int n_angles, const int n_columns, const int n_rows, const int side,
                           const int n_z, const int is_first)
{
    const int z0 = FIRST(get_global_id(0));
    const int ix = get_global_id(1), iy = get_global_id(2);
    __global float *voxels = image + ((size_t)iy * side + ix) * n_z + z0;
    const bool is_inside = ix >= chords[iy].x && ix < chords[iy].y;
    const int stride = n_rows + 2 * PAD;

    vec sum[N_VECS];
    for (int k = 0; k < N_VECS; k++)
        sum[k] = is_first ? (vec)(0.f) : LOAD(voxels + k * STRIDE);
    for (int angle = first_angle; is_inside && angle < first_angle + n_angles; angle++) {
        const float4 view = views[angle];
        // The rays within a pixel's width of it, whichever way they walk.
        float lowest = n_columns, highest = -1.f;
        for (int corner = 0; corner < 4; corner++) {
            const float sign = corner & 1 ? 1.f : -1.f;
            const float x = first.x + pitch * (ix + (corner & 2 ? sign : 0.f));
            const float y = first.y + pitch * (iy + (corner & 2 ? 0.f : sign));
            const float depth = source + y * view.x - x * view.y;
            const float u = source * (x * view.x + y * view.y + axis_shift) / depth + view.z;
            lowest = min(lowest, u);
            highest = max(highest, u);
        }
        const int last = min((int)ceil(highest), n_columns - 1);
        for (int column = max((int)floor(lowest), 0); column <= last; column++) {
            const size_t line = (size_t)angle * n_columns + column;
            const float8 walk = walks[line];
            const int4 span = spans[line];
            const int p = span.x ? ix : iy, i = span.x ? iy : ix;
            const float share = 1.f - fabs(i - (walk.s0 + p * walk.s1));
            if (share <= 0.f || p < span.y || p >= span.z)
                continue;
            const float t = walk.s2 + p * walk.s3, magnified = 1.f / t;
            const int n_taps = n_inside(magnified, magnified);
            __global const float *row =
                stretched + ((size_t)(angle - first_angle) * n_columns + column) * stride;
            for (int k = 0; k < N_VECS; k++) {
                const float v = PAD + view.w + magnified * (z0 + k * STRIDE - plane);
                if (v + magnified * WIDTH <= PAD || v - magnified >= PAD + n_rows - 1)
                    continue;
                const hats tap = hats_at(v, magnified, magnified);
                vec from = tap.from, found = 0.f;
                for (int n = 0; n < n_taps; n++, from += 1.f)
                    found += share_of(from, t) * LOAD(row + tap.first + n);
                sum[k] += share * found;
            }
        }
    }
    for (int k = 0; k < N_VECS; k++) {
        const vec z = z0 + k * STRIDE + COUNT;
        const vec kept = z < (vec)(PAD) ? (vec)(0.f) : sum[k];
        KEEP(voxels + k * STRIDE, z >= (vec)(n_z - PAD) ? (vec)(0.f) : kept);
    }
}
