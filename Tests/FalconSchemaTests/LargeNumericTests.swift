import BigInt
import FalconStorage
import Testing

@testable import FalconSchema

/// Long numbers: the fast paths against the general ones.
@Suite struct LargeNumericTests {
    /// Numbers of up to `bits` bits, with runs of ones and zeros where carries go wrong.
    private func number(_ bits: Int, _ random: inout some RandomNumberGenerator) -> BigUInt {
        var words: [UInt] = []
        for _ in 0...(Int.random(in: 0..<bits, using: &random) / 64) {
            switch Int.random(in: 0..<4, using: &random) {
            case 0: words.append(0)
            case 1: words.append(.max)
            default: words.append(UInt.random(in: 0 ... .max, using: &random))
            }
        }
        return BigUInt(words: words) >> Int.random(in: 0..<64, using: &random)
    }

    @Test(arguments: [UInt64.random(in: 0 ... .max)])
    func limbsAgreeWithTheGeneralMethods(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for round in 0..<300 {
            let a = number(12_000, &random)
            let b = number(9_000, &random) + 1
            #expect(Limbs.product(a, b) == a * b)
            let (quotient, remainder) = Limbs.divide(a, by: b)
            #expect(quotient * b + remainder == a && remainder < b)
            let exact = Limbs.divide(a * b, by: b)
            #expect(exact.quotient == a && exact.remainder.isZero)
            let root = Limbs.squareRoot(a)
            #expect(root * root <= a && (root + 1) * (root + 1) > a)
            guard round % 10 == 0 else { continue }
            let digits = DecimalDigits.text(of: a)
            #expect(String(decoding: digits, as: UTF8.self) == a.description)
            #expect(DecimalDigits.integer(digits[...]) == a)
        }
    }

    @Test func powersOfTen() {
        for exponent in [0, 1, 127, 128, 255, 256, 257, 511, 512, 4096, 16_383] {
            #expect(PowerOfTen.big(exponent) == BigInt(10).power(exponent))
        }
        #expect(NumericValue.digitCount(DecimalDigits.power(131_071)) == 131_072)
        #expect(NumericValue.digitCount(DecimalDigits.power(131_071) - 1) == 131_071)
    }

    @Test func theLargestNumbers() throws {
        let large = try NumericValue(parsing: "1e131071")
        #expect(large.description == "1" + String(repeating: "0", count: 131_071))
        let nines = String(repeating: "9", count: 131_072)
        let fraction = String(repeating: "7", count: 16_383)
        let longest = try NumericValue(parsing: nines + "." + fraction)
        #expect(longest.description == nines + "." + fraction)
        #expect(NumericValue.compare(longest, large) > 0)
        var writer = ByteWriter()
        longest.appendBinary(to: &writer)
        let read = try writer.bytes.withUnsafeBytes { try NumericValue(decodingBinary: $0) }
        #expect(read == longest && read.scale == 16_383)
        #expect(throws: SQLError.self) { try NumericValue.multiply(large, large) }
        #expect(throws: SQLError.self) { try NumericValue(parsing: nines + "9") }
        let trimmed = try NumericValue(parsing: "1." + String(repeating: "0", count: 16_383))
        #expect(trimmed.trimmingScale().description == "1")
        let hundreds = try NumericValue(parsing: "12345678901234567890.500")
        #expect(hundreds.trimmingScale().description == "12345678901234567890.5")
        #expect(
            try NumericValue(parsing: "1e131070").squareRoot().description == "1"
                + String(repeating: "0", count: 65_535))
    }
}
