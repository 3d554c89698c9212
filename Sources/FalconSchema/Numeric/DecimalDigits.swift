import BigInt

/// Large integers to decimal digits and back, by halves: the time of a few products instead of the
/// square of the number of digits.
enum DecimalDigits {
    /// Digits converted at once.
    static let leaf = 256

    /// 10^(leaf × 2^k), up to NUMERIC's digits.
    static let powers: [BigUInt] = {
        var powers = [BigUInt(10).power(leaf)]
        while leaf << powers.count <= 131_072 {
            guard let last = powers.last else { break }
            powers.append(Limbs.product(last, last))
        }
        return powers
    }()

    /// The digits of `value`, without leading zeros; "0" for zero.
    static func text(of value: BigUInt) -> [UInt8] {
        // A digit is more than three bits.
        guard value.bitWidth > leaf * 3 else { return Array(value.description.utf8) }
        var level = 0
        while level < powers.count, value >= powers[level] { level += 1 }
        // More than the table splits: no NUMERIC has so many.
        if level == powers.count, value.bitWidth > leaf << level * 3 {
            return Array(value.description.utf8)
        }
        var digits = [UInt8](repeating: UInt8(ascii: "0"), count: leaf << level)
        write(value, level, &digits, at: 0)
        let first = digits.firstIndex { $0 != UInt8(ascii: "0") } ?? digits.count - 1
        return Array(digits[first...])
    }

    /// Writes `value` into `leaf << level` places from `start` on, which hold zeros.
    private static func write(
        _ value: BigUInt, _ level: Int, _ digits: inout [UInt8], at start: Int
    ) {
        if value.isZero { return }
        guard level > 0 else {
            var place = start + leaf
            for digit in value.description.utf8.reversed() {
                place -= 1
                digits[place] = digit
            }
            return
        }
        let (high, low) = Limbs.divide(value, by: powers[level - 1])
        write(high, level - 1, &digits, at: start)
        write(low, level - 1, &digits, at: start + leaf << (level - 1))
    }

    /// The number that `digits` (ASCII, nothing else) stand for.
    static func integer(_ digits: ArraySlice<UInt8>) -> BigUInt {
        if digits.count <= leaf {
            return BigUInt(String(decoding: digits, as: UTF8.self)) ?? 0
        }
        var level = 0
        while level + 1 < powers.count, leaf << (level + 1) < digits.count { level += 1 }
        let middle = digits.endIndex - leaf << level
        return Limbs.product(integer(digits[..<middle]), powers[level])
            + integer(digits[middle...])
    }

    /// 10^`exponent`, large.
    static func power(_ exponent: Int) -> BigUInt {
        var result = BigUInt(10).power(exponent % leaf)
        var rest = exponent / leaf
        for (level, power) in powers.enumerated() where rest > 0 {
            // The last power of the table stands for all that is beyond it.
            let times = level == powers.count - 1 ? rest : rest & 1
            for _ in 0..<times { result = Limbs.product(power, result) }
            rest >>= 1
        }
        return result
    }
}
