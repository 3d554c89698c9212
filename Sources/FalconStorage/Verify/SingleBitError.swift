/// Finds the one bit whose flip explains a wrong CRC-32C: rot of a single bit proves itself, since
/// nothing else is likely to differ by exactly what one bit changes.
enum SingleBitError {
    enum Place: Equatable {
        case bit(byte: Int, bit: Int)
        /// The stored checksum itself is off by one bit.
        case checksum
    }
    /// Longer stretches are not searched.
    static let longest = 16 << 20
    private static let polynomial: UInt32 = 0x82F6_3B78

    /// The place in `bytes`, whose checksum should be `stored`; nil when no single bit explains it.
    static func find(in bytes: UnsafeRawBufferPointer, stored: UInt32) -> Place? {
        guard bytes.count <= longest else { return nil }
        // The checksum is linear: what one flipped bit adds depends on its distance from the end alone.
        let difference = Checksum.crc32c(bytes) ^ stored
        if difference.nonzeroBitCount == 1 { return .checksum }
        var effect: UInt32 = 1
        for byte in stride(from: bytes.count - 1, through: 0, by: -1) {
            for bit in stride(from: 7, through: 0, by: -1) {
                effect = effect & 1 == 0 ? effect >> 1 : (effect >> 1) ^ polynomial
                if effect == difference { return .bit(byte: byte, bit: bit) }
            }
        }
        return nil
    }
}
