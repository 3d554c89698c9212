import Testing

@testable import FalconStorage

/// Why writers are held back, by how much, and the numbers that say so.
@Suite struct WriteControllerTests {
    private func report(_ change: (inout WriteController.Load) -> Void) -> EngineStatistics {
        let controller = WriteController()
        var load = WriteController.Load()
        change(&load)
        controller.update(load)
        var statistics = EngineStatistics()
        controller.addStatistics(to: &statistics)
        #expect(controller.needsPacing == (statistics.delayReason != .none))
        return statistics
    }

    @Test func sublevelsOfLevel0() {
        #expect(report { $0.level0Files = 12 }.delayReason == .none)
        let some = report { $0.level0Files = 18 }
        #expect(some.delayReason == .level0Files)
        #expect(some.delayMeasure == .init(value: 18, softLimit: 12, hardLimit: 24))
        let most = report { $0.level0Files = 24 }
        #expect(most.delayNanos == UInt64(WriteController.ceilingNanosPerKiB))
        #expect(some.delayNanos == most.delayNanos / 4)
        #expect(report { $0.level0Files = 100 }.delayNanos == most.delayNanos)
    }

    @Test func compactionDebt() {
        func debt(_ bytes: UInt64) -> EngineStatistics {
            report { ($0.debtBytes, $0.softDebtBytes, $0.hardDebtBytes) = (bytes, 1000, 3000) }
        }
        #expect(debt(1000).delayReason == .none && debt(1000).delayMeasure == nil)
        #expect(debt(2000).delayReason == .compactionDebt)
        #expect(debt(2000).delayMeasure == .init(value: 2000, softLimit: 1000, hardLimit: 3000))
        #expect(debt(2000).delayNanos < debt(2500).delayNanos)
    }

    @Test func memory() {
        let short = report {
            $0.isMemoryShort = true
            $0.memory = .init(value: 90, softLimit: 80, hardLimit: 100)
        }
        #expect(short.delayReason == .memory && short.delayMeasure?.value == 90)
        #expect(short.delayNanos == UInt64(WriteController.memoryNanosPerKiB))
    }

    @Test func logToBeReplayed() {
        func log(_ bytes: UInt64) -> EngineStatistics {
            report { ($0.logBytes, $0.softLogBytes) = (bytes, 1 << 30) }
        }
        #expect(log(1 << 30).delayReason == .none)
        let long = log(3 << 29)
        #expect(long.delayReason == .log && long.delayReason.rawValue == "wal")
        #expect(long.delayMeasure == .init(value: 3 << 29, softLimit: 1 << 30, hardLimit: 2 << 30))
        #expect(long.delayNanos == UInt64(WriteController.ceilingNanosPerKiB / 4))
    }

    @Test func theSlowestPaceGivesTheReason() {
        let both = report {
            $0.level0Files = 14
            ($0.debtBytes, $0.softDebtBytes, $0.hardDebtBytes) = (2900, 1000, 3000)
        }
        #expect(both.delayReason == .compactionDebt && both.delayMeasure?.value == 2900)
        let memtables = report { $0.immutables = 3 }
        #expect(memtables.delayReason == .immutableMemtables)
        #expect(memtables.delayMeasure == .init(value: 3, softLimit: 2, hardLimit: 3))
        #expect(report { $0.isDiskFull = true }.delayReason == .diskFull)
    }
}
