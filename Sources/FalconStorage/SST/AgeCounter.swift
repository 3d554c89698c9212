/// Counts entries by age while a table is written.
struct AgeCounter {
    /// More are sampled, evenly.
    private static let mostSamples = 4096

    private var entries: UInt64 = 0
    private var oldest = UInt64.max
    private var newest: UInt64 = 0
    private var samples: [UInt64] = []
    private var stride: UInt64 = 1

    /// Adds an entry that is due at `timestamp`.
    mutating func add(_ timestamp: UInt64) {
        if entries % stride == 0 { sample(timestamp) }
        entries &+= 1
        oldest = min(oldest, timestamp)
        newest = max(newest, timestamp)
    }

    private mutating func sample(_ timestamp: UInt64) {
        samples.append(timestamp)
        guard samples.count == Self.mostSamples else { return }
        stride *= 2
        samples = Swift.stride(from: 0, to: samples.count, by: 2).map { samples[$0] }
    }

    func finish() -> VersionGarbage.Ages {
        if entries == 0 { return .init() }
        let sorted = samples.sorted()
        let steps = VersionGarbage.Ages.steps
        var due = (0..<steps).map { Timestamp(sorted[$0 * (sorted.count - 1) / (steps - 1)]) }
        due[0] = Timestamp(oldest)
        due[steps - 1] = Timestamp(newest)
        return .init(entries: entries, due: due)
    }
}
