// Sampling: the spectra of all rows, filtered and moved, laid along the lines of the grid.
//
// Constants of the build:
//   LANES   slices of a block (even)
//   WIDTH   floats of a vector, at most LANES
//   STREAM  1: writes go past the caches (a builtin of the compilers of CPU devices)
#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#define VEC PASTE(float, WIDTH)
#define N_VECS (2 * LANES / WIDTH)

#if STREAM
#define STORE(address, value) __builtin_nontemporal_store(value, address)
#else
#define STORE(address, value) *(address) = (value)
#endif

// Four complex products.
float8 times(const float8 a, const float8 b)
{
    const float8 sign = (float8)(-1, 1, -1, 1, -1, 1, -1, 1);
    return a * b.s00224466 + sign * a.s10325476 * b.s11335577;
}

// exp(i t) of four angles t, in turns / 2^32; to 1e-7, by series about the nearest quarter turn.
float8 on_circle(const uint4 turns)
{
    const uint4 quarter = (turns + (1u << 29)) >> 30;
    const float4 t = 1.4629180793e-9f * convert_float4(as_int4(turns - (quarter << 30)));
    const float4 t2 = t * t;
    const float4 c = 1 + t2 * (-0.5f + t2 * (1 / 24.f + t2 * (-1 / 720.f + t2 * (1 / 40320.f))));
    const float4 s = t * (1 + t2 * (-1 / 6.f + t2 * (1 / 120.f + t2 * (-1 / 5040.f))));
    const int4 is_odd = as_int4(quarter << 31) >> 31;
    const uint4 re = as_uint4((as_int4(s) & is_odd) | (as_int4(c) & ~is_odd));
    const uint4 im = as_uint4((as_int4(c) & is_odd) | (as_int4(s) & ~is_odd));
    const float4 x = as_float4(re ^ (((quarter + 1) & 2) << 30));
    const float4 y = as_float4(im ^ ((quarter & 2) << 30));
    return (float8)(x.x, y.x, x.y, y.y, x.z, y.z, x.w, y.w);
}

// Filter and weight the spectra of some angles, and make the slices the innermost axis.
//   spectra  (slice, angle of the part, k) complex, k = 0 .. n_k - 1 of a real FFT; n_k >= 4
//   factors  (slice, k) complex: ramp, and phase of the slice's centre of rotation
//   weights  (angle) what each angle counts; negative where its line runs backwards (see `lines`)
//   places   (angle) .x position among the lines; .y change of phase from k to k + 1 that moves the
//            output's centre to the origin, in turns / 2^32, wrapping
//   samples  (line, k, lane) complex; lanes beyond the slices become 0
// One work-item four values of k of an angle; global size (ceil(n_k / 4), angles of the part).
__kernel void weigh(__global const float *restrict spectra, __global const float *restrict factors,
                    __global const float *restrict weights, __global const uint2 *restrict places,
                    __global VEC *restrict samples, const int n_slices, const int n_angles,
                    const int first_angle, const int n_k)
{
    // The last four overlap those before, to stay inside the row.
    const int k0 = min((int)get_global_id(0) * 4, n_k - 4), angle = get_global_id(1);
    if (angle >= n_angles)
        return;
    const uint2 place = places[first_angle + angle];
    const float weight = weights[first_angle + angle];
    const float8 phases = fabs(weight) * on_circle(place.y * ((uint4)(0, 1, 2, 3) + (uint)k0));
    const float8 sign = weight < 0 ? (float8)(1, -1, 1, -1, 1, -1, 1, -1) : (float8)(1);

    __global VEC *to = samples + ((size_t)place.x * n_k + k0) * N_VECS;
    // A vector of lanes at a time for all four k, which registers hold.
    for (int v = 0; v < N_VECS; v++) {
        VEC block[4];
        ulong *values = (ulong *)block;
#pragma unroll
        for (int i = 0; i < WIDTH / 2; i++) {
            const int lane = v * (WIDTH / 2) + i;
            float8 value = 0.f;
            if (lane < n_slices) {
                const size_t row = (size_t)lane * n_angles + angle;
                const float8 spectrum = vload8(0, spectra + 2 * (row * n_k + k0));
                const float8 factor = vload8(0, factors + 2 * ((size_t)lane * n_k + k0));
                value = sign * times(times(spectrum, factor), phases);
            }
            const ulong4 pairs = as_ulong4(value);
            values[i] = pairs.x;
            values[i + WIDTH / 2] = pairs.y;
            values[i + WIDTH] = pairs.z;
            values[i + 3 * WIDTH / 2] = pairs.w;
        }
#pragma unroll
        for (int i = 0; i < 4; i++)
            STORE(to + i * N_VECS + v, block[i]);
    }
}
