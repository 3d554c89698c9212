import Glibc
import Synchronization
import Testing

@testable import FalconStorage

@Suite struct WALLifecycleTests {
    @Test func releasedSegmentsAreRecycledAndTheirOldBytesAreNotRead() throws {
        let memory = MemoryFileSystem()
        let fixture = WALFixture(memory, retainBytes: 0)
        let writer = try fixture.open()
        var index = 0
        func append(_ count: Int) throws -> WALPosition {
            var last = WALPosition(start: .zero, end: .zero)
            for _ in 0..<count {
                last = try writer.append(.logicalMessage, WALFixture.body(index))
                index += 1
                if index % 10 == 0 { try writer.sync() }
            }
            try writer.sync()
            return last
        }
        var sawRecycled = false
        for _ in 0..<30 {
            let last = try append(400)
            writer.releaseSegments(below: last.start)
            // The release is the housekeeper's; wait for it, bounded.
            for _ in 0..<10_000 where writer.segmentCount > 2 { sched_yield() }
            let (records, reader) = try WALFixture.readAll(memory.crashClone(.dropUnsynced))
            #expect(!reader.verdict.isCorruption, "\(reader.verdict)")
            #expect(records.last?.lsn == last.start)
            #expect(reader.firstLSN == records.first?.lsn)
            if reader.segmentHeader?.isRecycled == true { sawRecycled = true }
        }
        #expect(sawRecycled)
        #expect(writer.segmentCount < 6)
        try writer.close()
    }

    @Test func retentionKeepsWhatWasPromised() throws {
        let memory = MemoryFileSystem()
        let fixture = WALFixture(memory, retainBytes: 256 << 10)
        let writer = try fixture.open()
        var last = WALPosition(start: .zero, end: .zero)
        for index in 0..<8000 {
            last = try writer.append(.logicalMessage, WALFixture.body(index))
        }
        try writer.sync()
        let before = writer.segmentCount
        writer.releaseSegments(below: last.start)
        for _ in 0..<100_000 where writer.segmentCount == before { sched_yield() }
        try writer.close()
        let (records, reader) = try WALFixture.readAll(memory)
        let kept = (records.last?.lsn.rawValue ?? 0) - (records.first?.lsn.rawValue ?? 0)
        #expect(reader.summaries.count < before)
        #expect(kept >= 200 << 10, "kept \(kept)")
    }

    @Test func rotationSyncsInTheOrderThatVouches() throws {
        let tracing = TracingFileSystem(MemoryFileSystem())
        let fixture = WALFixture(tracing, idleNanos: 3_600_000_000_000)
        let writer = try fixture.open()
        for index in 0..<2000 { try writer.append(.logicalMessage, WALFixture.body(index)) }
        try writer.sync()
        try writer.close()
        let events = tracing.events
        let first = "wal/" + FileNames.walSegmentName(WALSegmentNumber(1))
        let second = "wal/" + FileNames.walSegmentName(WALSegmentNumber(2))
        let rename = try #require(
            events.firstIndex { $0.operation == .rename && $0.detail == "-> " + second })
        let spare = events[rename].path
        let headerWrite = try #require(
            events[..<rename].lastIndex { $0.operation == .write && $0.path == spare })
        #expect(events[headerWrite].detail == "0+4096")
        let seal = try #require(events.lastIndex { $0.operation == .write && $0.path == first })
        #expect(events[seal].detail.hasSuffix("+64"))
        // Other threads write the next spares and settle the rotation meanwhile: the order is that of each
        // file's own events.
        #expect(events[..<seal].last { $0.path == first }?.operation == .sync)
        #expect(seal < headerWrite)
        #expect(events[(headerWrite + 1)...].first { $0.path == spare }?.operation == .sync)
        // Nothing in the new segment is vouched for before the seal and the name are durable.
        let after = events[(rename + 1)...]
        let synced = try #require(
            after.firstIndex { $0.operation == .sync && $0.path == second })
        let sealed = try #require(after.firstIndex { $0.path == first })
        #expect(events[sealed].operation == .sync && sealed < synced)
        let named = try #require(after.firstIndex { $0.path == "wal" })
        #expect(events[named].operation == .syncDirectory && named < synced)
        let chunk = try #require(
            events.firstIndex { $0.operation == .write && $0.path == second })
        #expect(rename < chunk)
    }

    @Test func aFullDiskStallsAndGoesOnWithoutAReopen() throws {
        let memory = MemoryFileSystem(capacityBytes: 150 << 10)
        let fixture = WALFixture(memory)
        let writer = try fixture.open()
        var last = WALPosition(start: .zero, end: .zero)
        for index in 0..<3000 {
            last = try writer.append(.logicalMessage, WALFixture.body(index), flush: .synced)
        }
        for _ in 0..<1_000_000 where fixture.seen.withLock({ $0.stalls }) == 0 { sched_yield() }
        #expect(fixture.seen.withLock { $0.stalls } == 1)
        #expect(writer.syncedLSN < last.end)
        memory.setCapacity(bytes: .max)
        try writer.sync()
        #expect(fixture.seen.withLock { $0.resumes } >= 1)
        #expect(fixture.seen.withLock { $0.failures.isEmpty })
        try writer.close()
        #expect(try WALFixture.readAll(memory).records.count == 3000)
    }

    /// The thread that meets the full disk goes away; what it asked for must not be forgotten.
    @Test func aSyncThatAnotherThreadsStallCutShortIsMadeUpFor() throws {
        let memory = MemoryFileSystem(capacityBytes: 150 << 10)
        let fixture = WALFixture(memory, idleNanos: 3_600_000_000_000)
        let writer = try fixture.open()
        var last = WALPosition(start: .zero, end: .zero)
        for index in 0..<3000 where fixture.seen.withLock({ $0.stalls }) == 0 {
            last = try writer.append(.logicalMessage, WALFixture.body(index, 500))
            writer.syncPending()
        }
        #expect(fixture.seen.withLock { $0.stalls } == 1)
        #expect(writer.syncedLSN < last.end)
        memory.setCapacity(bytes: .max)
        for _ in 0..<5_000_000 where fixture.seen.withLock({ $0.synced }) < last.end {
            sched_yield()
        }
        #expect(fixture.seen.withLock { $0.synced } == last.end)
        try writer.close()
    }

    @Test func aFailedSyncPoisonsAndNothingAcknowledgedIsLost() throws {
        let memory = MemoryFileSystem()
        let faults = FaultInjectingFileSystem(memory)
        let fixture = WALFixture(faults, idleNanos: 3_600_000_000_000)
        let writer = try fixture.open()
        let good = try writer.append(.logicalMessage, WALFixture.body(0))
        try writer.sync()
        faults.setRule(FaultRule(.operation(.sync), index: 0, errno: EIO))
        try writer.append(.logicalMessage, WALFixture.body(1))
        #expect(throws: StorageError.self) { try writer.sync() }
        #expect(fixture.seen.withLock { $0.failures.count } == 1)
        let error = #expect(throws: StorageError.self) {
            try writer.append(.logicalMessage, WALFixture.body(2))
        }
        #expect(error?.code == .poisoned && error?.errno == EIO)
        // The device is well again, the log stays poisoned.
        #expect(throws: StorageError.self) { try writer.sync() }
        #expect(writer.syncedLSN == good.end)
        #expect(throws: StorageError.self) { try writer.close() }
    }

    /// Fails the n-th mutating call for every n; whatever was acknowledged is read back.
    @Test func everyFailedCallLosesNothingAcknowledged() throws {
        for code in [EIO, ENOSPC] {
            var index = 0
            while true {
                let memory = MemoryFileSystem()
                let faults = FaultInjectingFileSystem(
                    memory, rule: FaultRule(.mutating, index: index, errno: code, partialBytes: 70))
                let fixture = WALFixture(
                    faults, segmentBytes: 16 << 10, chunkBytes: 512, retainBytes: 0,
                    idleNanos: 3_600_000_000_000)
                var acknowledged: [WALPosition] = []
                var appended: [WALPosition] = []
                do throws(StorageError) {
                    let writer = try fixture.open()
                    defer { try? writer.close() }
                    for step in 0..<24 {
                        for _ in 0..<10 {
                            appended.append(
                                try writer.append(.logicalMessage, WALFixture.body(step)))
                        }
                        try writer.sync()
                        acknowledged = appended
                    }
                } catch {
                    #expect(error.errno == code || error.code == .poisoned, "\(error)")
                }
                let where_ = "call \(index), errno \(code)"
                let survivor = memory.crashClone(.dropUnsynced)
                if try survivor.exists("wal") {
                    let (records, reader) = try WALFixture.readAll(survivor)
                    #expect(!reader.verdict.isCorruption, "\(where_): \(reader.verdict)")
                    #expect(records.count >= acknowledged.count, "\(where_)")
                    #expect(
                        zip(records, appended).allSatisfy { $0.lsn == $1.start }, "\(where_)")
                } else {
                    #expect(acknowledged.isEmpty, "\(where_)")
                }
                if faults.injectedCount == 0 { break }
                index += 1
            }
            #expect(index > 40)
        }
    }

    @Test func crashesAtAnyMomentKeepWhatWasSyncedAndContinue() throws {
        for seed in 0..<60 as Range<UInt64> {
            var random = SplitMix64(seed: seed)
            var memory = MemoryFileSystem()
            var continuation = WALContinuation.beginning
            /// Synced for certain, and appended with unknown fate, by LSN.
            var durable: [LSN: [UInt8]] = [:]
            var uncertain: [LSN: [UInt8]] = [:]
            for incarnation in 1...4 as ClosedRange<UInt64> {
                let fixture = WALFixture(
                    memory, segmentBytes: 16 << 10, chunkBytes: 1024,
                    idleNanos: random.next() % 2 == 0 ? 100_000 : 3_600_000_000_000,
                    seed: seed * 10 + incarnation)
                let writer = try fixture.open(continuation, incarnation: incarnation)
                for step in 0..<Int(random.next() % 200 + 1) {
                    let body = WALFixture.body(
                        Int(incarnation) * 1000 + step, Int(random.next() % 600))
                    let position = try writer.append(.logicalMessage, body)
                    #expect(durable[position.start] == nil, "an LSN came twice")
                    uncertain[position.start] = body
                    switch random.next() % 4 {
                    case 0:
                        try writer.sync()
                        durable.merge(uncertain) { $1 }
                        uncertain = [:]
                    case 1: writer.writePending()
                    default: break
                    }
                }
                let policy: CrashPolicy =
                    switch random.next() % 4 {
                    case 0: .dropUnsynced
                    case 1: .keepUnsynced
                    case 2: .reorder
                    default: .tear(sectorBytes: 512)
                    }
                let survivor = memory.crashClone(policy, seed: random.next())
                try writer.close()
                let (records, reader) = try WALFixture.readAll(survivor)
                #expect(
                    !reader.verdict.isCorruption,
                    "seed \(seed) incarnation \(incarnation) \(policy): \(reader.verdict)")
                let found = Dictionary(uniqueKeysWithValues: records.map { ($0.lsn, $0.body) })
                for (lsn, body) in durable {
                    #expect(found[lsn] == body, "seed \(seed): \(lsn) was synced and is gone")
                }
                for (lsn, body) in found {
                    #expect(durable[lsn] ?? uncertain[lsn] == body, "seed \(seed): \(lsn)")
                }
                // What survived is now part of history for good.
                durable = found
                uncertain = [:]
                continuation = reader.continuation
                memory = survivor
            }
        }
    }

    @Test func aFollowerSeesWhatALiveWriterAdds() throws {
        let memory = MemoryFileSystem()
        let fixture = WALFixture(memory)
        let writer = try fixture.open()
        let reader = try WALReader(directory: "wal", fileSystem: memory, mode: .follow)
        var seen: [LSN] = []
        var expected: [LSN] = []
        for index in 0..<1500 {
            expected.append(try writer.append(.logicalMessage, WALFixture.body(index)).start)
            if index % 7 == 0 {
                try writer.sync()
                while let record = try reader.next() { seen.append(record.lsn) }
                #expect(seen == expected)
            }
        }
        try writer.close()
        while let record = try reader.next() { seen.append(record.lsn) }
        #expect(seen == expected)
    }

    @Test func manyThreadsAppendUnderOneMutexAndAllIsThere() throws {
        let memory = MemoryFileSystem()
        let fixture = WALFixture(memory, segmentBytes: 256 << 10)
        let writer = try fixture.open()
        let mutex = Mutex<Int>(0)
        let threads = try (0..<4).map { _ in
            try WorkerThread(name: "appender") {
                for step in 0..<2000 {
                    let position = mutex.withLock { index -> WALPosition? in
                        index += 1
                        return try? writer.append(.logicalMessage, WALFixture.body(index, 60))
                    }
                    guard let position else { return }
                    switch step % 3 {
                    case 0: writer.requestSync(upTo: position.end)
                    case 1: writer.writePending()
                    default: try? writer.sync()
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        try writer.sync()
        #expect(fixture.seen.withLock { $0.synced } == writer.nextLSN)
        try writer.close()
        let (records, _) = try WALFixture.readAll(memory)
        #expect(records.count == 8000)
        for (index, record) in records.enumerated() {
            #expect(record.body == WALFixture.body(index + 1, 60))
        }
    }
}
