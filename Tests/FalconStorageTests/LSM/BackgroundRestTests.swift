import Synchronization
import Testing

@testable import FalconStorage

/// When flushes and compactions rest for the sake of commits.
struct BackgroundRestTests {
    private static let period = BackgroundRest.periodNanos
    private static let work = BackgroundRest.workNanos

    private final class Commits: Sendable {
        let end = Atomic<UInt64>(100)
        let isPressed = Atomic<Bool>(false)
        let comesSecond = Atomic<Bool>(false)
        func come() { end.wrappingAdd(1, ordering: .relaxed) }
        func rest() -> BackgroundRest {
            BackgroundRest(
                commitsEnd: { [self] in end.load(ordering: .relaxed) },
                isPressed: { [self] in isPressed.load(ordering: .relaxed) },
                givesWay: { [self] in comesSecond.load(ordering: .relaxed) })
        }
    }

    @Test func allRestAtTheSameMomentsUntilThePeriodEnds() {
        let commits = Commits()
        var (one, other) = (commits.rest(), commits.rest())
        commits.come()
        let begin = 7 * Self.period
        #expect(one.restNanos(now: begin) == nil)
        #expect(one.restNanos(now: begin + Self.work - 1) == nil)
        #expect(one.restNanos(now: begin + Self.work) == Self.period - Self.work)
        #expect(other.restNanos(now: begin + Self.period - 1000) == 1000)
    }

    @Test func nobodyRestsWithoutCommits() {
        let commits = Commits()
        var rest = commits.rest()
        #expect(rest.restNanos(now: Self.work) == nil)
        commits.come()
        #expect(rest.restNanos(now: Self.work) != nil)
        // None came since then.
        #expect(rest.restNanos(now: Self.period + Self.work) == nil)
    }

    @Test func nobodyRestsWhileTheWorkPresses() {
        let commits = Commits()
        var rest = commits.rest()
        commits.come()
        commits.isPressed.store(true, ordering: .relaxed)
        #expect(rest.restNanos(now: Self.work) == nil)
        commits.isPressed.store(false, ordering: .relaxed)
        #expect(rest.restNanos(now: Self.work) != nil)
    }

    /// Like a compaction beside a flush on two processors: the whole period is rest.
    @Test func whatComesSecondRestsUntilTheOtherIsDone() {
        let commits = Commits()
        var rest = commits.rest()
        commits.comesSecond.store(true, ordering: .relaxed)
        commits.come()
        #expect(rest.restNanos(now: 5 * Self.period) == Self.period)
        commits.come()
        commits.isPressed.store(true, ordering: .relaxed)
        #expect(rest.restNanos(now: 6 * Self.period) == nil)
        commits.isPressed.store(false, ordering: .relaxed)
        #expect(rest.restNanos(now: 7 * Self.period) == Self.period)
        #expect(rest.restNanos(now: 8 * Self.period) == nil, "nobody commits")
        commits.come()
        commits.comesSecond.store(false, ordering: .relaxed)
        #expect(rest.restNanos(now: 9 * Self.period) == nil)
    }

    /// Half of what is allowed until commits are held back.
    @Test(
        arguments: [
            (\WriteController.Load.immutables, 1, 2), (\.level0Files, 6, 7),
        ] as [(WritableKeyPath<WriteController.Load, Int> & Sendable, Int, Int)])
    func countsPress(
        field: WritableKeyPath<WriteController.Load, Int> & Sendable, calm: Int, pressed: Int
    ) {
        let controller = WriteController()
        var load = WriteController.Load()
        load[keyPath: field] = calm
        controller.update(load)
        #expect(!controller.isPressed)
        load[keyPath: field] = pressed
        controller.update(load)
        #expect(controller.isPressed)
    }

    /// An engine's flushes take the rests while commits come, and so do its compactions.
    @Test(arguments: [true, false])
    func theEnginesWorkRests(isFlush: Bool) throws {
        var options = EngineOptions()
        // Of two kinds of work only one is to be there.
        options.memtableBytes = isFlush ? 1 << 20 : 256 << 20
        options.level0CompactionTrigger = isFlush ? 1000 : 4
        (options.level0SlowdownTrigger, options.level0StopTrigger) = (2000, 4000)
        let engine = try StorageEngine.open(
            at: "db", options: options,
            environment: StorageEnvironment(fileSystem: MemoryFileSystem()))
        var number: UInt64 = 0
        func write(_ count: Int) throws {
            for _ in 0..<count {
                number &+= 1
                let batch = WriteBatch()
                try batch.put("key\(number &* 0x9E37_79B9_7F4A_7C15)", [1, 2, 3])
                try engine.commitAndWait(batch, CommitOptions(durability: .written))
            }
        }
        for _ in 0..<100 where engine.statistics().backgroundRests == 0 {
            if !isFlush {
                for _ in 0..<options.level0CompactionTrigger {
                    try write(25_000)
                    try engine.flush()
                }
                #expect(engine.statistics().backgroundRests == 0, "nobody commits meanwhile")
            }
            try write(50_000)
        }
        #expect(engine.statistics().backgroundRests > 0)
        try engine.close()
    }

    @Test func bytesPress() {
        let controller = WriteController()
        var load = WriteController.Load()
        (load.softDebtBytes, load.hardDebtBytes) = (1000, 3000)
        load.debtBytes = 500
        controller.update(load)
        #expect(!controller.isPressed)
        load.debtBytes = 501
        controller.update(load)
        #expect(controller.isPressed && !controller.needsPacing)
        load.debtBytes = 0
        (load.logBytes, load.softLogBytes) = (501, 1000)
        controller.update(load)
        #expect(controller.isPressed)
    }
}
