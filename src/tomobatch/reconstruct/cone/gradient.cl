// Steps of TV on a whole volume, (y, x, z), z innermost; see iterative/algebra.cl for slices.
//
// across, down, along  dual of the gradient to the next column, row and slice
// chords               (y)  first pixel and one past the last that the mask lets through
// bound, active        one number each
// Global size (n_z, side, side).

// The dual goes half the volume's gradient on, then back into the ball of radius `bound`.
// Differences between two voxels inside the chords, and of slices [first, stop), count.
__kernel void shrink_gradient(__global float *restrict across, __global float *restrict down,
                              __global float *restrict along, __global const float *restrict image,
                              __global const int2 *restrict chords,
                              __global const float *restrict bound, const int side,
                              const int first, const int stop)
{
    const int z = get_global_id(0), x = get_global_id(1), y = get_global_id(2);
    const int n_z = get_global_size(0);
    const int2 chord = chords[y], below = y + 1 < side ? chords[y + 1] : (int2)(0, 0);
    if (z < first || z >= stop || x < chord.x || x >= chord.y)
        return;
    const size_t i = ((size_t)y * side + x) * n_z + z;
    const bool has_below = x >= below.x && x < below.y;
    const float value = image[i];
    const float a = x + 1 < chord.y ? across[i] + 0.5f * (image[i + n_z] - value) : 0.f;
    const float d = has_below ? down[i] + 0.5f * (image[i + (size_t)side * n_z] - value) : 0.f;
    const float l = z + 1 < stop ? along[i] + 0.5f * (image[i + 1] - value) : 0.f;
    const float size = sqrt(a * a + d * d + l * l);
    const float keep = size > *bound ? *bound / size : 1.f;
    across[i] = keep * a;
    down[i] = keep * d;
    along[i] = keep * l;
}

// image goes along steps * (gradient + divergence), not below `lowest`, where `active`; ahead, which
// holds the gradient, becomes the point as far beyond the new volume as it is from the old.
__kernel void step_ahead(__global float *restrict image, __global float *restrict ahead,
                         __global const float *restrict steps, __global const float *restrict across,
                         __global const float *restrict down, __global const float *restrict along,
                         __global const float *restrict active, const float lowest)
{
    const int x = get_global_id(1), y = get_global_id(2);
    const int n_z = get_global_size(0), side = get_global_size(1);
    const size_t i = ((size_t)y * side + x) * n_z + get_global_id(0);
    const float step = steps[i];
    if (step > 0.f) {
        float pull = ahead[i] + across[i] + down[i] + along[i] - along[i - 1];
        if (x > 0)
            pull -= across[i - n_z];
        if (y > 0)
            pull -= down[i - (size_t)side * n_z];
        const float old = image[i], now = fmax(old + step * pull, lowest);
        image[i] = old + *active * (now - old);
        ahead[i] = 2.f * now - old;
    }
}
