import BigInt

/// Products, quotients and square roots of large integers, on plain word buffers: several times as
/// fast as the general methods of `BigUInt`, which smaller numbers use.
enum Limbs {
    private typealias Words = UnsafeBufferPointer<UInt>
    private typealias Target = UnsafeMutablePointer<UInt>

    /// Below so many words the general methods do as well.
    private static let threshold = 16
    /// From so many words on, products are taken by halves (Karatsuba).
    private static let halvingThreshold = 48

    // MARK: Products

    static func product(_ a: BigUInt, _ b: BigUInt) -> BigUInt {
        let x = Array(a.words)
        let y = Array(b.words)
        guard min(x.count, y.count) >= threshold else { return a * b }
        let result = [UInt](unsafeUninitializedCapacity: x.count + y.count) { buffer, count in
            count = x.count + y.count
            guard let target = buffer.baseAddress else { return }
            x.withUnsafeBufferPointer { x in
                y.withUnsafeBufferPointer { y in multiply(x, y, target) }
            }
        }
        return BigUInt(words: result)
    }

    static func product(_ a: BigInt, _ b: BigInt) -> BigInt {
        BigInt(
            sign: a.sign == b.sign ? .plus : .minus, magnitude: product(a.magnitude, b.magnitude))
    }

    /// Writes all `a.count + b.count` words of `result`.
    private static func multiply(_ a: Words, _ b: Words, _ result: Target) {
        if a.count < b.count { return multiply(b, a, result) }
        if b.count < halvingThreshold { return multiplyPlainly(a, b, result) }
        if a.count == b.count { return multiplyByHalves(a, b, result) }
        // The longer one in pieces as long as the shorter.
        let size = b.count
        result.update(repeating: 0, count: a.count + size)
        withUnsafeTemporaryAllocation(of: UInt.self, capacity: 2 * size) { piece in
            guard let base = piece.baseAddress else { return }
            var start = 0
            while start < a.count {
                let end = min(a.count, start + size)
                let part = Words(rebasing: a[start..<end])
                multiply(part, b, base)
                add(
                    Words(start: base, count: part.count + size), to: result + start,
                    a.count + size - start)
                start = end
            }
        }
    }

    private static func multiplyPlainly(_ a: Words, _ b: Words, _ result: Target) {
        result.update(repeating: 0, count: a.count)
        for (index, factor) in b.enumerated() {
            result[index &+ a.count] = addProduct(a, factor, to: result + index)
        }
    }

    /// `target += a * factor`; returns the carry.
    @inline(__always)
    private static func addProduct(_ a: Words, _ factor: UInt, to target: Target) -> UInt {
        var carry: UInt = 0
        for index in 0..<a.count {
            let (high, low) = a[index].multipliedFullWidth(by: factor)
            let (sum, over) = low.addingReportingOverflow(carry)
            let (total, overAgain) = sum.addingReportingOverflow(target[index])
            target[index] = total
            carry = high &+ (over ? 1 : 0) &+ (overAgain ? 1 : 0)
        }
        return carry
    }

    private static func multiplyByHalves(_ a: Words, _ b: Words, _ result: Target) {
        let count = a.count
        let low = count / 2
        let high = count - low
        let (a0, a1) = (Words(rebasing: a[..<low]), Words(rebasing: a[low...]))
        let (b0, b1) = (Words(rebasing: b[..<low]), Words(rebasing: b[low...]))
        multiply(a0, b0, result)
        multiply(a1, b1, result + 2 * low)
        // (a0 + a1)(b0 + b1) - a0 b0 - a1 b1
        let size = high + 1
        withUnsafeTemporaryAllocation(of: UInt.self, capacity: 4 * size) { scratch in
            guard let base = scratch.baseAddress else { return }
            let (x, y, middle) = (base, base + size, base + 2 * size)
            sum(a1, a0, x)
            sum(b1, b0, y)
            multiply(Words(start: x, count: size), Words(start: y, count: size), middle)
            subtract(Words(start: result, count: 2 * low), from: middle, 2 * size)
            subtract(Words(start: result + 2 * low, count: 2 * high), from: middle, 2 * size)
            var length = 2 * size
            while length > 0, middle[length - 1] == 0 { length -= 1 }
            add(Words(start: middle, count: length), to: result + low, 2 * count - low)
        }
    }

    /// `result = a + b`, one word longer than `a`, the longer one.
    private static func sum(_ a: Words, _ b: Words, _ result: Target) {
        for index in 0..<a.count { result[index] = a[index] }
        result[a.count] = 0
        add(b, to: result, a.count + 1)
    }

    /// `target += a`; the sum fits in `count` words.
    private static func add(_ a: Words, to target: Target, _ count: Int) {
        var carry: UInt = 0
        for index in 0..<a.count {
            let (sum, over) = target[index].addingReportingOverflow(a[index])
            let (total, overAgain) = sum.addingReportingOverflow(carry)
            target[index] = total
            carry = (over ? 1 : 0) &+ (overAgain ? 1 : 0)
        }
        var index = a.count
        while carry != 0, index < count {
            let (total, over) = target[index].addingReportingOverflow(1)
            target[index] = total
            carry = over ? 1 : 0
            index += 1
        }
    }

    /// `target -= a`, which is not larger.
    private static func subtract(_ a: Words, from target: Target, _ count: Int) {
        var borrow: UInt = 0
        for index in 0..<a.count {
            let (difference, under) = target[index].subtractingReportingOverflow(a[index])
            let (rest, underAgain) = difference.subtractingReportingOverflow(borrow)
            target[index] = rest
            borrow = (under ? 1 : 0) &+ (underAgain ? 1 : 0)
        }
        var index = a.count
        while borrow != 0, index < count {
            let (rest, under) = target[index].subtractingReportingOverflow(1)
            target[index] = rest
            borrow = under ? 1 : 0
            index += 1
        }
    }

    // MARK: Quotients

    /// Quotient and remainder; `divisor` is not zero.
    static func divide(
        _ dividend: BigUInt, by divisor: BigUInt
    ) -> (quotient: BigUInt, remainder: BigUInt) {
        let divisorWords = Array(divisor.words)
        let dividendWords = Array(dividend.words)
        guard divisorWords.count >= threshold, dividendWords.count > divisorWords.count,
            let top = divisorWords.last
        else { return dividend.quotientAndRemainder(dividingBy: divisor) }
        // The divisor's highest bit set, so that a quotient word is guessed at most two too high.
        let shift = top.leadingZeroBitCount
        let v = shifted(divisorWords, shift, extra: 0)
        var u = shifted(dividendWords, shift, extra: 1)
        let places = u.count - v.count
        var quotient = [UInt](repeating: 0, count: places)
        u.withUnsafeMutableBufferPointer { u in
            v.withUnsafeBufferPointer { v in
                guard let base = u.baseAddress else { return }
                for place in stride(from: places - 1, through: 0, by: -1) {
                    quotient[place] = quotientWord(base + place, v)
                }
            }
        }
        let remainder = BigUInt(words: u[..<v.count]) >> shift
        return (BigUInt(words: quotient), remainder)
    }

    /// As `BigInt` has it: truncated towards zero, the remainder with the dividend's sign.
    static func divide(_ dividend: BigInt, by divisor: BigInt) -> (
        quotient: BigInt, remainder: BigInt
    ) {
        let (quotient, remainder) = divide(dividend.magnitude, by: divisor.magnitude)
        return (
            BigInt(sign: dividend.sign == divisor.sign ? .plus : .minus, magnitude: quotient),
            BigInt(sign: dividend.sign, magnitude: remainder)
        )
    }

    private static func shifted(_ words: [UInt], _ shift: Int, extra: Int) -> [UInt] {
        var result: [UInt] = []
        result.reserveCapacity(words.count + extra)
        var carry: UInt = 0
        for word in words {
            result.append(word << shift | carry)
            carry = word >> (UInt.bitWidth - shift)
        }
        if extra > 0 { result.append(carry) }
        return result
    }

    /// Knuth's algorithm D, one step: the next word of the quotient of the `v.count + 1` words at `u`,
    /// which become the remainder.
    private static func quotientWord(_ u: Target, _ v: Words) -> UInt {
        let n = v.count
        let (top, second) = (v[n - 1], v[n - 2])
        var guess: UInt
        if u[n] >= top {
            guess = .max
        } else {
            var rest: UInt
            (guess, rest) = top.dividingFullWidth((u[n], u[n - 1]))
            while true {
                let (high, low) = guess.multipliedFullWidth(by: second)
                guard high > rest || (high == rest && low > u[n - 2]) else { break }
                guess -= 1
                let (more, over) = rest.addingReportingOverflow(top)
                if over { break }
                rest = more
            }
        }
        var borrow = subtractProduct(v, guess, from: u)
        while borrow {
            guess -= 1
            borrow = !addBack(v, to: u)
        }
        return guess
    }

    /// `u -= v * factor` over one word more than `v`; true when it went below zero.
    @inline(__always)
    private static func subtractProduct(_ v: Words, _ factor: UInt, from u: Target) -> Bool {
        var carry: UInt = 0
        for index in 0..<v.count {
            let (high, low) = v[index].multipliedFullWidth(by: factor)
            let (product, over) = low.addingReportingOverflow(carry)
            let (rest, under) = u[index].subtractingReportingOverflow(product)
            u[index] = rest
            carry = high &+ (over ? 1 : 0) &+ (under ? 1 : 0)
        }
        let (rest, under) = u[v.count].subtractingReportingOverflow(carry)
        u[v.count] = rest
        return under
    }

    /// `u += v`; true when that brought it back to zero or above.
    private static func addBack(_ v: Words, to u: Target) -> Bool {
        var carry: UInt = 0
        for index in 0..<v.count {
            let (sum, over) = u[index].addingReportingOverflow(v[index])
            let (total, overAgain) = sum.addingReportingOverflow(carry)
            u[index] = total
            carry = (over ? 1 : 0) &+ (overAgain ? 1 : 0)
        }
        let (total, over) = u[v.count].addingReportingOverflow(carry)
        u[v.count] = total
        return over
    }

    // MARK: Square roots

    /// The integer part of the square root, each step with twice the digits of the one before.
    static func squareRoot(_ value: BigUInt) -> BigUInt {
        if value.isZero { return 0 }
        let half = (value.bitWidth - 1) / 2
        var root = BigUInt(1)
        var digits = 0
        for step in stride(from: Int.bitWidth - half.leadingZeroBitCount - 1, through: 0, by: -1) {
            let before = digits
            digits = half >> step
            root =
                (root << (digits - before - 1))
                + divide(value >> (2 * half - before - digits + 1), by: root).quotient
        }
        return product(root, root) > value ? root - 1 : root
    }
}
