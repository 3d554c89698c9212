/// The 64-bit Mersenne Twister, as C++ has it: `db_bench` draws its keys from it, and the same seed
/// here draws the same keys.
struct MersenneTwister64 {
    private static let size = 312
    private var state: [UInt64]
    private var index = MersenneTwister64.size

    init(seed: UInt64) {
        state = Array(repeating: 0, count: MersenneTwister64.size)
        state[0] = seed
        for i in 1..<MersenneTwister64.size {
            let last = state[i - 1]
            state[i] = 6_364_136_223_846_793_005 &* (last ^ (last >> 62)) &+ UInt64(i)
        }
    }

    mutating func next() -> UInt64 {
        if index == MersenneTwister64.size { refill() }
        var x = state[index]
        index &+= 1
        x ^= (x >> 29) & 0x5555_5555_5555_5555
        x ^= (x << 17) & 0x71D6_7FFF_EDA6_0000
        x ^= (x << 37) & 0xFFF7_EEE0_0000_0000
        return x ^ (x >> 43)
    }

    private mutating func refill() {
        let size = MersenneTwister64.size
        state.withUnsafeMutableBufferPointer { state in
            for i in 0..<size {
                let next = i + 1 < size ? i + 1 : 0
                let x = (state[i] & 0xFFFF_FFFF_8000_0000) | (state[next] & 0x7FFF_FFFF)
                let twisted = (x >> 1) ^ (x & 1 == 0 ? 0 : 0xB502_6F5A_A966_19E9)
                let far = i + 156 < size ? i + 156 : i + 156 - size
                state[i] = state[far] ^ twisted
            }
        }
        index = 0
    }
}
