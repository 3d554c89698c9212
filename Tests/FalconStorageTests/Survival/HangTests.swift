import Glibc
import Synchronization
import Testing

@testable import FalconStorage

/// Waits that used to have no end.
@Suite struct HangTests {
    /// What the tree looks like is told to the writers' brake by the flush thread and by rotations:
    /// the older view must not be told last, or a writer waits for a flush that is over.
    @Test func aWriterDoesNotWaitForAFlushThatIsOver() throws {
        var options = EngineOptions.small
        options.memtableBytes = 4096
        options.maximumImmutableMemtables = 1
        options.level0CompactionTrigger = 1000
        options.level0SlowdownTrigger = 5000
        options.level0StopTrigger = 9000
        options.closedTimestampMicros = 0
        let engine = try EngineFixture(options: options).engine
        let hanging = try Bounded.run(2) { lane in
            for row in 0..<1500 {
                let batch = WriteBatch()
                let value = bytes(String(repeating: "v", count: 2500))
                try? batch.put(key: bytes("\(lane)/\(row % 20)"), value: value)
                _ = try? engine.commitAndWait(batch, CommitOptions(durability: .buffered))
            }
        }
        #expect(hanging.isEmpty)
    }

    /// Runs `body`, and records an issue when it does not end.
    private func bounded(_ body: @escaping @Sendable () throws -> Void) throws {
        let box = Box()
        let hanging = try Bounded.run { _ in
            do { try body() } catch { box.text.withLock { $0 = "\(error)" } }
        }
        let text = box.text.withLock { $0 }
        #expect(hanging.isEmpty && text == nil, "\(text ?? "hangs")")
    }

    private final class Box: Sendable {
        let text = Mutex<String?>(nil)
    }

    @Test func anOpenOnAFullDiskFails() throws {
        try bounded {
            let memory = MemoryFileSystem()
            let full = FaultInjectingFileSystem(memory)
            var failed = 0
            for index in 0..<12 {
                full.setRule(
                    FaultRule(
                        .operation(.write), pathContains: "/wal/", index: index, count: .max,
                        errno: ENOSPC))
                let error = try failure { try ClassEngine.open(full, .small).close() }
                if let error {
                    failed += 1
                    #expect(error.code == .diskFull, "write \(index): \(error)")
                }
            }
            #expect(failed > 2)
            full.setRule(nil)
            try ClassEngine.open(full, .small).close()
        }
    }

    @Test func aCloseOnAFullDiskEndsAndAnswersWhoWaits() throws {
        try bounded {
            let fixture = try ClassEngine()
            try fixture.put("a", "1")
            fixture.faulty.setRule(
                FaultRule(
                    .operation(.write), pathContains: "/wal/", index: 0, count: .max, errno: ENOSPC)
            )
            let answer = Box()
            let batch = WriteBatch()
            try batch.put(key: bytes("b"), value: bytes("2"))
            fixture.engine.commit(batch, CommitOptions()) { result in
                if case .failure(let error) = result {
                    answer.text.withLock { $0 = error.code.rawValue }
                }
            }
            let error = try failure { try fixture.engine.close() }
            #expect(error?.code == .diskFull, "\(error as Any)")
            #expect(
                answer.text.withLock { $0 } == StorageErrorCode.commitOutcomeUnknown.rawValue)
            fixture.faulty.setRule(nil)
            #expect(try fixture.rows(on: fixture.memory.fork()) == ["a=1"])
        }
    }

    @Test func aFlushOnAFullDiskFailsAndTheNextOneDoesNot() throws {
        try bounded {
            let fixture = try ClassEngine()
            try fixture.put("a", "1", .buffered)
            fixture.faulty.setRule(
                FaultRule(
                    .operation(.write), pathContains: "/wal/", index: 0, count: .max, errno: ENOSPC)
            )
            #expect(try failure { try fixture.engine.flush() }?.code == .diskFull)
            fixture.faulty.setRule(nil)
            while try failure({ try fixture.engine.flush() }) != nil {}
            #expect(try fixture.engine.rows() == ["a=1"])
        }
    }

    @Test func commitsAreRefusedOnceManifestTakesNoMoreEdits() throws {
        try bounded {
            let fixture = try ClassEngine {
                $0.memtableBytes = 4096
                $0.maximumImmutableMemtables = 1
            }
            fixture.faulty.setRule(
                FaultRule(.operation(.sync), pathContains: "MANIFEST", index: 0, errno: EIO))
            var error: StorageError?
            var taken = 0
            while error == nil {
                error = try failure { try fixture.fill(taken..<(taken + 1), bytes: 300) }
                taken += 1
            }
            #expect(error?.code == .poisoned || error?.code == .commitOutcomeUnknown)
            try fixture.reopen()
            #expect(try fixture.engine.rows().count >= taken - 1)
        }
    }

    @Test func commitsAreRefusedWhileFlushesFailAndTakenAfterwards() throws {
        try bounded {
            let fixture = try ClassEngine {
                $0.memtableBytes = 4096
                $0.maximumImmutableMemtables = 1
            }
            fixture.faulty.setRule(
                FaultRule(.mutating, pathContains: ".sst", index: 0, count: .max, errno: EIO))
            var error: StorageError?
            var taken = 0
            while error == nil {
                error = try failure { try fixture.fill(taken..<(taken + 1), bytes: 300) }
                taken += 1
            }
            #expect(error?.code == .io && error?.kind == .retryable && error?.errno == EIO)
            fixture.faulty.setRule(nil)
            while try failure({ try fixture.engine.flush() }) != nil {}
            try fixture.put("after", "1")
            #expect(try fixture.engine.rows().count == taken)
        }
    }
}
