import BigInt
import FalconStorage

/// PostgreSQL's binary form: ndigits i16, weight i16, sign u16, dscale u16, then ndigits groups of
/// four decimal digits as i16, most significant first; all big-endian. The first group counts
/// 10000^weight.
extension NumericValue {
    public func appendBinary(to writer: inout ByteWriter) {
        switch storage {
        case .nan: Self.appendHeader(0, 0, 0xC000, 0, to: &writer)
        case .infinity: Self.appendHeader(0, 0, 0xD000, 0x20, to: &writer)
        case .negativeInfinity: Self.appendHeader(0, 0, 0xF000, 0x20, to: &writer)
        case .small(0, let scale): Self.appendHeader(0, 0, 0, scale, to: &writer)
        case .small, .big:
            let groups = decimalGroups
            Self.appendHeader(
                UInt16(truncatingIfNeeded: groups.groups.count),
                UInt16(bitPattern: Int16(truncatingIfNeeded: groups.weight)),
                signum < 0 ? 0x4000 : 0, UInt16(truncatingIfNeeded: scale), to: &writer)
            for group in groups.groups { writer.appendFixed(group.bigEndian) }
        }
    }

    private static func appendHeader(
        _ count: UInt16, _ weight: UInt16, _ sign: UInt16, _ scale: UInt16,
        to writer: inout ByteWriter
    ) {
        writer.appendFixed(count.bigEndian)
        writer.appendFixed(weight.bigEndian)
        writer.appendFixed(sign.bigEndian)
        writer.appendFixed(scale.bigEndian)
    }

    /// Groups of four digits aligned at the point, without leading or trailing zero groups.
    private var decimalGroups: (weight: Int, groups: [UInt16]) {
        let digits: [UInt8]
        switch storage {
        case .small(let mantissa, _): digits = Array(String(mantissa.magnitude).utf8)
        case .big(let big): digits = DecimalDigits.text(of: big.mantissa.magnitude)
        default: return (0, [])
        }
        let whole = digits.count - scale
        // Pad so that the point falls between groups.
        let weight = whole > 0 ? (whole + 3) / 4 - 1 : -((-whole) / 4) - 1
        var groups: [UInt16] = []
        var position = whole - (weight + 1) * 4
        while position < digits.count {
            var group: UInt16 = 0
            for offset in 0..<4 {
                let index = position + offset
                let digit = index >= 0 && index < digits.count ? UInt16(digits[index] - 48) : 0
                group = group * 10 + digit
            }
            groups.append(group)
            position += 4
        }
        var first = weight
        while let head = groups.first, head == 0 {
            groups.removeFirst()
            first -= 1
        }
        while let last = groups.last, last == 0 { groups.removeLast() }
        return (groups.isEmpty ? 0 : first, groups)
    }

    public init(decodingBinary bytes: UnsafeRawBufferPointer) throws(SQLError) {
        var reader = ByteReader(bytes)
        guard let count = reader.readFixed(UInt16.self)?.byteSwapped,
            let weightBits = reader.readFixed(UInt16.self)?.byteSwapped,
            let sign = reader.readFixed(UInt16.self)?.byteSwapped,
            let scale = reader.readFixed(UInt16.self)?.byteSwapped
        else { throw .insufficientBinaryData }
        switch sign {
        case 0xC000: self = .nan
        case 0xD000: self = .infinity
        case 0xF000: self = .negativeInfinity
        case 0, 0x4000:
            guard scale <= Self.maxScale else {
                throw SQLError(
                    .invalidBinaryRepresentation, "invalid scale in external \"numeric\" value")
            }
            let weight = Int(Int16(bitPattern: weightBits))
            var digits: [UInt8] = []
            var small: UInt64 = 0
            let isSmall = count <= 4
            for _ in 0..<count {
                guard let group = reader.readFixed(UInt16.self)?.byteSwapped else {
                    throw .insufficientBinaryData
                }
                guard group < 10000 else {
                    throw SQLError(
                        .invalidBinaryRepresentation, "invalid digit in external \"numeric\" value")
                }
                if isSmall {
                    small = small * 10000 + UInt64(group)
                } else {
                    for unit in [1000, 100, 10, 1] as [UInt16] {
                        digits.append(UInt8(truncatingIfNeeded: group / unit % 10) + 48)
                    }
                }
            }
            guard reader.isAtEnd else {
                throw SQLError(.invalidBinaryRepresentation, "incorrect binary data format")
            }
            var mantissa = BigInt(
                isSmall ? BigUInt(small) : DecimalDigits.integer(digits[...]))
            if sign == 0x4000 { mantissa.negate() }
            // The last group counts 10000^(weight - count + 1).
            let exponent = (weight - Int(count) + 1) * 4
            // Digits beyond the scale are dropped, as numeric_recv does.
            self = try NumericValue(
                mantissa: Self.rescale(mantissa, from: -exponent, to: Int(scale), truncating: true),
                scale: Int(scale)
            ).checked()
        default:
            throw SQLError(
                .invalidBinaryRepresentation, "invalid sign in external \"numeric\" value")
        }
    }
}
