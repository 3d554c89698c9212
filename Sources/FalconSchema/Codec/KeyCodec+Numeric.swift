import BigInt
import FalconStorage

/// NUMERIC keys: one class byte, then for finite nonzero numbers the exponent e of 0.d1d2d3… × 10^e
/// and the digits in pairs (pair value + 1), ended by 00. Trailing zeros are gone, so equal numbers
/// have one key. A negative number has its exponent and digits flipped.
///
///     10 -Infinity   20 negative   30 zero   40 positive   50 Infinity   60 NaN
///
///     exponent -100...99   one byte 1C...E3 (128 + e)
///     below / above        00 / FF, then e as i32 BE with the sign flipped
extension KeyCodec {
    private enum Class {
        static let negativeInfinity: UInt8 = 0x10
        static let negative: UInt8 = 0x20
        static let zero: UInt8 = 0x30
        static let positive: UInt8 = 0x40
        static let infinity: UInt8 = 0x50
        static let nan: UInt8 = 0x60
    }

    static func appendNumeric(_ value: NumericValue, to writer: inout ByteWriter) {
        if value.isNaN { return writer.append(Class.nan) }
        if value.isInfinite {
            return writer.append(value.signum < 0 ? Class.negativeInfinity : Class.infinity)
        }
        if value.isZero { return writer.append(Class.zero) }
        let isNegative = value.signum < 0
        writer.append(isNegative ? Class.negative : Class.positive)
        let start = writer.count
        switch value.storage {
        case .small(let mantissa, let scale):
            // Digits on the stack: no allocation for the common number.
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
                var rest = mantissa.magnitude
                var index = 20
                while rest > 0 {
                    let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
                    index -= 1
                    digits[index] = UInt8(truncatingIfNeeded: digit)
                    rest = quotient
                }
                appendDigits(
                    UnsafeBufferPointer(rebasing: digits[index..<20]), scale: Int(scale),
                    to: &writer)
            }
        case .big(let big):
            let digits = DecimalDigits.text(of: big.mantissa.magnitude).map { $0 - 48 }
            digits.withUnsafeBufferPointer { appendDigits($0, scale: big.scale, to: &writer) }
        default: break
        }
        if isNegative {
            for index in start..<writer.count { writer.bytes[index] = ~writer.bytes[index] }
        }
    }

    private static func appendDigits(
        _ digits: UnsafeBufferPointer<UInt8>, scale: Int, to writer: inout ByteWriter
    ) {
        let exponent = digits.count - scale
        if exponent >= -100, exponent <= 99 {
            writer.append(UInt8(truncatingIfNeeded: 128 + exponent))
        } else {
            writer.append(exponent < 0 ? 0 : 0xFF)
            writer.appendFixed(
                (UInt32(bitPattern: Int32(clamping: exponent)) ^ (1 << 31)).bigEndian)
        }
        var end = digits.count
        while end > 0, digits[end - 1] == 0 { end -= 1 }
        var index = 0
        while index < end {
            let low = index + 1 < end ? digits[index + 1] : 0
            writer.append(digits[index] * 10 + low + 1)
            index += 2
        }
        writer.append(0)
    }

    static func decodeNumeric(
        _ reader: inout ByteReader, mask: UInt8
    ) throws(SQLError) -> NumericValue {
        guard let raw = reader.readByte() else { throw damaged }
        var flip = mask
        switch raw ^ mask {
        case Class.nan: return .nan
        case Class.infinity: return .infinity
        case Class.negativeInfinity: return .negativeInfinity
        case Class.zero: return .zero
        case Class.positive: break
        case Class.negative: flip = ~flip
        default: throw damaged
        }
        let isNegative = flip != mask
        guard let short = reader.readByte() else { throw damaged }
        var exponent = Int(short ^ flip) - 128
        if short ^ flip == 0 || short ^ flip == 0xFF {
            guard let bits = reader.readFixed(UInt32.self) else { throw damaged }
            let big = UInt32(bigEndian: bits)
            exponent = Int(Int32(bitPattern: (flip == 0 ? big : ~big) ^ (1 << 31)))
        }
        var digits: [UInt8] = []
        while true {
            guard let next = reader.readByte() else { throw damaged }
            let pair = next ^ flip
            if pair == 0 { break }
            guard pair <= 100 else { throw damaged }
            digits.append((pair - 1) / 10 + 48)
            digits.append((pair - 1) % 10 + 48)
        }
        while digits.last == 48 { digits.removeLast() }
        guard !digits.isEmpty, abs(exponent) <= NumericValue.maxIntegerDigits + 1,
            digits.count <= NumericValue.maxIntegerDigits + NumericValue.maxScale
        else { throw damaged }
        var mantissa = BigInt(DecimalDigits.integer(digits[...]))
        if isNegative { mantissa.negate() }
        let scale = digits.count - exponent
        if scale >= 0 { return NumericValue(mantissa: mantissa, scale: scale) }
        return NumericValue(
            mantissa: Limbs.product(mantissa, PowerOfTen.big(-scale)), scale: 0)
    }
}
