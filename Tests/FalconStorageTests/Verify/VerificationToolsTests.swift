import Synchronization
import Testing

@testable import FalconStorage

/// What checks that run side by side are made of.
@Suite struct VerificationToolsTests {
    // MARK: - Pace

    /// A clock that the sleeper moves on.
    private static func pace(_ bytesPerSecond: UInt64, _ clock: ManualClock) -> VerificationPace {
        VerificationPace(bytesPerSecond: bytesPerSecond, clock: clock) {
            clock.advance(micros: UInt64($0) * 1000)
        }
    }

    @Test func readsKeepWithinTheLimit() {
        let clock = ManualClock()
        let pace = Self.pace(1_000_000, clock)
        for _ in 0..<50 { pace.spend(100_000) }
        // 5 MB at 1 MB/s, less what a tenth of a second gives in advance.
        let seconds = Double(clock.monotonicNanos()) / 1e9
        #expect((4.85...5.1).contains(seconds))
        clock.advance(micros: 60_000_000)
        let before = clock.monotonicNanos()
        for _ in 0..<10 { pace.spend(100_000) }
        #expect(clock.monotonicNanos() - before > 850_000_000, "idle time is not saved up")
    }

    @Test func withoutALimitNobodySleeps() {
        let clock = ManualClock()
        let pace = Self.pace(0, clock)
        for _ in 0..<50 { pace.spend(1 << 30) }
        #expect(clock.monotonicNanos() == 0)
        let fileSystem = MemoryFileSystem()
        #expect(pace.limiting(fileSystem) === fileSystem)
    }

    @Test func oneThatStopsDoesNotSleepItOut() {
        let clock = ManualClock()
        let stopper = Mutex<VerificationPace?>(nil)
        let pace = VerificationPace(bytesPerSecond: 1, clock: clock) { millis in
            clock.advance(micros: UInt64(millis) * 1000)
            stopper.withLock { $0?.stop() }
        }
        stopper.withLock { $0 = pace }
        pace.spend(1_000_000)
        #expect(clock.monotonicNanos() < 1_000_000_000)
        stopper.withLock { $0 = nil }
    }

    @Test func theFilesOfALimitedFileSystemPay() throws {
        let memory = MemoryFileSystem()
        let file = try memory.open("a", .create)
        try file.write([UInt8](repeating: 7, count: 1000), at: 0)
        let clock = ManualClock()
        let limited = Self.pace(100, clock).limiting(memory)
        let other = try limited.open("a", .read)
        #expect(try other.readExactly(1000, at: 0).count == 1000)
        #expect(clock.monotonicNanos() > 9_800_000_000)
    }

    // MARK: - Ordered work

    @Test(arguments: [1, 2, 7])
    func resultsComeInOrder(threads: Int) throws {
        var taken: [Int] = []
        try OrderedWork<Int>.run(
            100, threads: threads, makeWorker: { { $0 * $0 } }, idle: { true },
            take: { index, result in
                #expect(result == index * index)
                taken.append(index)
                return true
            })
        #expect(taken == Array(0..<100))
    }

    @Test func whoWantsNoMoreGetsNoMore() throws {
        let begun = Atomic<Int>(0)
        var taken = 0
        try OrderedWork<Int>.run(
            10_000, threads: 2,
            makeWorker: {
                {
                    begun.wrappingAdd(1, ordering: .relaxed)
                    return $0
                }
            }, idle: { true },
            take: { index, _ in
                taken += 1
                return index < 4
            })
        #expect(taken == 5)
        #expect(begun.load(ordering: .relaxed) >= 5)
        try OrderedWork<Int>.run(
            0, threads: 2, makeWorker: { { $0 } }, idle: { true }, take: { _, _ in true })
    }

    /// The worker waits until the one that takes has looked.
    @Test func whileNothingIsDoneTheTakerLooksAround() throws {
        let looked = Atomic<Bool>(false)
        var taken = 0
        try OrderedWork<Int>.run(
            1, threads: 1,
            makeWorker: {
                { index in
                    while !looked.load(ordering: .acquiring) {}
                    return index
                }
            },
            idle: {
                looked.store(true, ordering: .releasing)
                return true
            },
            take: { _, _ in
                taken += 1
                return true
            })
        #expect(taken == 1)
    }

    // MARK: - Sequential reading

    @Test func partsAreLentAndTheWholeIsHashed() throws {
        var random = SplitMix64(seed: 3)
        let bytes = (0..<3_500_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let wanted = bytes.withUnsafeBytes { Checksum.xxh3($0) }
        for seed in UInt64(0)..<4 {
            var random = SplitMix64(seed: seed)
            let file = BytesFile(bytes)
            let reader = SequentialReader(
                file, size: UInt64(bytes.count), hashes: true, pace: nil)
            var offset = 0
            while offset < bytes.count {
                let most: UInt64 = seed == 3 ? 2_000_000 : 40_000
                let length = min(Int(random.next() % most) + 1, bytes.count - offset)
                let part = try #require(reader.bytes(at: UInt64(offset), length))
                #expect(part.elementsEqual(bytes[offset..<(offset + length)]))
                offset += length + Int(random.next() % 5000)
            }
            #expect(reader.bytes(at: 0, 10) == nil, "that has passed by")
            #expect(try reader.finish() == wanted)
            #expect(file.readBytes.load(ordering: .relaxed) <= bytes.count + (1 << 20))
        }
    }

    @Test func aFileThatEndsEarlyIsTold() {
        let reader = SequentialReader(
            BytesFile([1, 2, 3]), size: 10, hashes: true, pace: nil)
        #expect(reader.bytes(at: 0, 8) == nil)
        #expect(throws: StorageError.self) { try reader.finish() }
    }

    // MARK: - Entries

    @Test func entriesOfARangeAreListed() throws {
        for options in [TableVerifierTests.smallBlocks, TableVerifierTests.partitioned] {
            var random = SeededRandom(seed: 21)
            let model = modelEntries(.interleaved, count: 400, &random)
                .sorted(by: ModelEntry.sorts)
            let (file, _) = try writeTable(model, options)
            for (lower, upper) in [
                ([], nil), (Array("table2/".utf8), Array("table4/".utf8)), (model[7].key, nil),
                ([], model[9].key), (Array("zz".utf8), nil),
            ] as [([UInt8], [UInt8]?)] {
                var found: [ModelEntry] = []
                try TableEntries.read(
                    file, keyring: nil, from: lower, to: upper, report: { Issue.record("\($0)") }
                ) { entry in
                    found.append(
                        ModelEntry(
                            key: Array(entry.key), timestamp: entry.timestamp.rawValue,
                            kind: entry.kind, value: Array(entry.value)))
                    return true
                }
                let wanted = model.filter { entry in
                    KeyOrder.compare(lower, entry.key) <= 0
                        && (upper.map { KeyOrder.compare(entry.key, $0) < 0 } ?? true)
                }
                #expect(found.map(\.key) == wanted.map(\.key))
                #expect(found.map(\.timestamp) == wanted.map(\.timestamp))
                #expect(found.map(\.value) == wanted.map(\.value))
            }
        }
    }

    @Test func aDamagedBlockIsToldAndPassedOver() throws {
        let (file, _) = try TableVerifierTests.table(TableVerifierTests.smallBlocks)
        var bad = file.contents
        bad[100] ^= 1
        var findings: [TableFinding] = []
        var count = 0
        try TableEntries.read(
            BytesFile(bad), keyring: nil, from: [], to: nil, report: { findings.append($0) }
        ) { _ in
            count += 1
            return true
        }
        #expect(findings.map(\.code) == [.blockDamaged] && findings.first?.offset == 64)
        #expect(count > 300 && count < 400)
    }
}
