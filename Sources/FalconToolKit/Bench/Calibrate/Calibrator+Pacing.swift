import FalconStorage

extension Calibrator {
    /// What an open loop says of this machine when no database is behind it: dependent loads, paced at
    /// 70 % of their own median rate. A stretch in which the machine gives the thread less than that is in
    /// every latency measured so, whatever is measured.
    func pacing() -> Figures {
        let loads = 24
        let area = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: memoryBytes / 8)
        defer { area.deallocate() }
        area.initialize(repeating: 1)
        var place: UInt64 = 1
        func operation() {
            for _ in 0..<loads {
                place = place &* 6_364_136_223_846_793_005 &+ area[Int(place >> 20) % area.count]
            }
        }
        let rounds = (0..<3).map { _ in rate(nanos: nanosEach, operation) }.sorted()
        let interval = 1e9 / (rounds[1] * 0.7)
        let timer = OperationTimer(clock, interval: interval, stallNanos: .max)
        let begin = clock.monotonicNanos()
        let end = begin &+ nanosEach &* 10
        timer.start(at: begin)
        while clock.monotonicNanos() < end {
            timer.begin()
            operation()
            timer.finish()
        }
        keep(place)
        return [
            (.pacedTail, timer.latency.percentile(99.9) / 1000),
            (.pacedMaximum, Double(timer.latency.maximum) / 1000),
        ]
    }

    /// Operations a second, each with the clock readings that the paced ones have.
    private func rate(nanos: UInt64, _ operation: () -> Void) -> Double {
        let timer = OperationTimer(clock, interval: 0, stallNanos: .max)
        let begin = clock.monotonicNanos()
        timer.start(at: begin)
        while clock.monotonicNanos() &- begin < nanos {
            timer.begin()
            operation()
            timer.finish()
        }
        let passed = clock.monotonicNanos() &- begin
        return Double(timer.latency.count) * 1e9 / Double(max(passed, 1))
    }
}
