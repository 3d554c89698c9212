/// The key of a record: `user` and its number's hash in 20 digits, so that neighbours in number are
/// not neighbours in the tree.
enum YCSBKey {
    static let byteCount = 24

    /// FNV-1a of the number's 8 bytes, lowest first.
    static func hash(_ number: UInt64) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        var rest = number
        for _ in 0..<8 {
            hash ^= rest & 0xFF
            hash = hash &* 0x100_0000_01B3
            rest >>= 8
        }
        return hash
    }

    static func write(_ number: UInt64, into key: UnsafeMutableRawBufferPointer) {
        for (i, byte) in "user".utf8.enumerated() { key[i] = byte }
        var rest = hash(number)
        for i in (4..<byteCount).reversed() {
            key[i] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
    }
}
