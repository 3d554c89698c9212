import ArgumentParser

/// What a flag takes, and the error that says so.
struct FlagLimit {
    let flag: String
    let value: Int
    let range: ClosedRange<Int>
    /// What `0` or `-1` outside the range stands for.
    let special: (value: Int, meaning: String)?

    /// The most keys and operations: sums and products of two such counts and sizes stay within 64 bits.
    static let mostOperations = 1 << 48
    static let mostSeconds = 31_536_000
    /// A rate beyond what any machine does.
    static let mostPerSecond = 1 << 50
    /// As many bytes of cache, or of a memory budget, as the engine takes.
    static let mostCacheBytes = 1 << 40

    init(
        _ flag: String, _ value: Int, _ range: ClosedRange<Int>,
        or special: (value: Int, meaning: String)? = nil
    ) {
        self.flag = flag
        self.value = value
        self.range = range
        self.special = special
    }

    var holds: Bool { range.contains(value) || special?.value == value }

    var message: String {
        var text = "--\(flag) must be "
        if let special { text += "\(special.value) (\(special.meaning)) or " }
        text +=
            range.lowerBound == .min
            ? "at most \(range.upperBound)" : "\(range.lowerBound) to \(range.upperBound)"
        return text + "; it is \(value)."
    }

    /// Throws for the first that does not hold.
    static func check(_ limits: [FlagLimit]) throws {
        for limit in limits where !limit.holds { throw ValidationError(limit.message) }
    }

    static func check(ratio: Double) throws {
        guard ratio > 0, ratio <= 1 else {
            throw ValidationError(
                "--compression_ratio must be above 0 and at most 1; it is \(ratio).")
        }
    }

    /// The names of a list separated by commas, all of which must be `known`.
    static func check(
        _ flag: String, _ list: String, what: String, known: [String]
    ) throws {
        let names = list.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        for name in names where !known.contains(name) {
            let problem =
                name.isEmpty
                ? "--\(flag) has an empty name in '\(list)'" : "There is no \(what) '\(name)'"
            throw ValidationError("\(problem): there are \(known.joined(separator: ", ")).")
        }
    }
}
