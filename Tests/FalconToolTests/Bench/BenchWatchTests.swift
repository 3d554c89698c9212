import Testing

@testable import FalconStorage
@testable import FalconToolKit

@Suite struct BenchWatchTests {
    private let clock = ManualClock()
    private let stream = MemoryStream()

    private func makeWatch() -> BenchWatch {
        BenchWatch(
            path: "bench", waitMicros: 30_000_000, clock, BenchErrorStream(stream),
            abandon: { _ in }, detach: { _ in true })
    }

    @Test func givesUpAfterTheEnginesOwnWait() {
        let watch = makeWatch()
        watch.expectWrites(true)
        watch.engine(at: "bench", did: .delayChanged(.diskFull))
        #expect(watch.isHeldTooLong() == false)
        clock.advance(micros: 30_000_000 + BenchWatch.graceMicros)
        #expect(watch.isHeldTooLong() == false)
        clock.advance(micros: 1)
        #expect(watch.isHeldTooLong() == true)
    }

    @Test func theEnginesTriesToWriteAreNoRoom() {
        let watch = makeWatch()
        watch.expectWrites(true)
        for _ in 0..<35 {
            watch.engine(at: "bench", did: .delayChanged(.diskFull))
            #expect(watch.isHeldTooLong() == false)
            watch.engine(at: "bench", did: .delayChanged(.none))
            #expect(watch.isHeldTooLong() == false)
            clock.advance(micros: 1_000_000)
        }
        clock.advance(micros: 1_000_000)
        watch.engine(at: "bench", did: .delayChanged(.diskFull))
        #expect(watch.isHeldTooLong() == true)
        #expect(stream.text == "bench: the disk is full: writes are held back.\n")
    }

    @Test func roomIsSaidOnceItLasts() {
        let watch = makeWatch()
        watch.expectWrites(true)
        watch.engine(at: "bench", did: .delayChanged(.diskFull))
        watch.engine(at: "bench", did: .delayChanged(.none))
        #expect(watch.isHeldTooLong() == false)
        #expect(!stream.text.contains("room"))
        clock.advance(micros: BenchWatch.roomMicros)
        #expect(watch.isHeldTooLong() == nil)
        #expect(stream.text.contains("the disk has room again"))
    }

    @Test func aCommitBeginsTheWaitAnew() throws {
        let environment = StorageEnvironment(fileSystem: MemoryFileSystem())
        let engine = try StorageEngine.open(at: "bench", environment: environment)
        let watch = makeWatch()
        watch.expectWrites(true)
        watch.use(engine)
        watch.engine(at: "bench", did: .delayChanged(.diskFull))
        for _ in 0..<3 {
            #expect(watch.isHeldTooLong() == false)
            clock.advance(micros: 40_000_000)
            let batch = WriteBatch()
            try batch.put("key", "")
            _ = try engine.commitAndWait(batch, CommitOptions())
        }
        #expect(watch.isHeldTooLong() == false)
        clock.advance(micros: 40_000_000)
        #expect(watch.isHeldTooLong() == true)
        watch.use(nil)
        try engine.close()
    }

    @Test func readsGoOnBesideAFullDisk() {
        let watch = makeWatch()
        watch.engine(at: "bench", did: .delayChanged(.diskFull))
        #expect(watch.isHeldTooLong() == false)
        clock.advance(micros: 40_000_000)
        #expect(watch.isHeldTooLong() == false)
    }

    @Test func stallsAreSaid() {
        let stalled = StalledOperation(operation: "sync", path: "bench/wal/1", micros: 10_000_000)
        makeWatch().engine(at: "bench", did: .stalled(stalled))
        #expect(stream.text == "bench: sync of bench/wal/1 has taken 10 s so far.\n")
    }
}
