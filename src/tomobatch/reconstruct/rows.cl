// The rows of a block on their way to and from their spectra, where the device transforms them.
//
// Constants of the build:
//   LANES   slices of a block

#define EXPONENT 0x7f800000u

// Pad the rows of some angles, and find values that are not finite.
//   rows       (slice, angle, column)
//   weights    (slice, column) what each column counts; only read with `is_weighted`
//   padded     (slice, angle of the part, sample); the left padding comes last
//   first_bad  becomes the least slice * n_angles + angle with a value that is not finite
// One work-item a sample; global size (length, angles of the part, slices).
__kernel void pad(__global const float *restrict rows, __global const float *restrict weights,
                  __global float *restrict padded, __global int *restrict first_bad,
                  const int n_angles, const int first_angle, const int n_part, const int n_cols,
                  const int length, const int is_edge, const int is_weighted)
{
    const int sample = get_global_id(0), angle = get_global_id(1), slice = get_global_id(2);
    if (sample >= length || angle >= n_part)
        return;
    const int left = (length - n_cols) / 2;
    const int column = sample < n_cols ? sample : sample < length - left ? n_cols - 1 : 0;
    float value = 0.f;
    if (sample == column || is_edge) {
        const int row = slice * n_angles + first_angle + angle;
        value = rows[(size_t)row * n_cols + column];
        // By its bits: compilers may take it for granted that values are finite.
        if ((as_uint(value) & EXPONENT) == EXPONENT)
            atomic_min(first_bad, row);
        if (is_weighted)
            value *= weights[slice * n_cols + column];
    }
    padded[((size_t)slice * n_part + angle) * length + sample] = value;
}

// Multiply spectra by the filter, and lengthen them for rows of finer samples.
//   spectra  (slice, angle of the part, k) complex, k = 0 .. n_k - 1
//   factors  (slice, k) complex: ramp, and phase of the slice's centre of rotation
//   weights  (angle) what each angle counts
//   finer    (slice, angle of the part, k) complex, k = 0 .. n_finer - 1; beyond n_k they are 0
// One work-item a value; global size (n_finer, angles of the part, slices).
__kernel void filter(__global const float2 *restrict spectra, __global const float2 *restrict factors,
                     __global const float *restrict weights, __global float2 *restrict finer,
                     const int first_angle, const int n_part, const int n_k, const int n_finer)
{
    const int k = get_global_id(0), angle = get_global_id(1), slice = get_global_id(2);
    if (k >= n_finer || angle >= n_part)
        return;
    const size_t row = (size_t)slice * n_part + angle;
    float2 value = 0.f;
    if (k < n_k) {
        const float2 a = spectra[row * n_k + k], b = factors[slice * n_k + k];
        value = weights[first_angle + angle] * (float2)(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
    }
    finer[row * n_finer + k] = value;
}

// Make the slices the innermost axis.
//   ring     (slice, angle of the part, sample), periodic
//   rows     (angle, sample, lane); lanes beyond the slices become 0
// One work-item a value; global size (n_samples * LANES, angles of the part).
__kernel void interleave(__global const float *restrict ring, __global float *restrict rows,
                         const int n_slices, const int first_angle, const int n_part,
                         const int n_ring, const int n_samples)
{
    const int sample = get_global_id(0) / LANES, lane = get_global_id(0) % LANES;
    const int angle = get_global_id(1);
    if (sample >= n_samples || angle >= n_part)
        return;
    const size_t row = (size_t)lane * n_part + angle;
    const float value = lane < n_slices ? ring[row * n_ring + sample % n_ring] : 0.f;
    rows[((size_t)(first_angle + angle) * n_samples + sample) * LANES + lane] = value;
}
