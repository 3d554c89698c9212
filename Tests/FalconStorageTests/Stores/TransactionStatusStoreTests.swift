import Testing

@testable import FalconStorage

@Suite struct TransactionStatusStoreTests {
    private func commit(
        _ store: TransactionStatusStore, _ engine: StorageEngine, _ key: String
    ) throws -> TransactionID {
        let number = engine.allocateTransactionID()
        let batch = WriteBatch()
        try batch.put(key, "1")
        try store.note(number, in: batch)
        var options = CommitOptions()
        options.transactionID = number
        try engine.commitAndWait(batch, options)
        return number
    }

    @Test func givenNumbersAreNoOtherCommits() throws {
        let fixture = try EngineFixture()
        var given: Set<UInt64> = []
        for round in 0..<100 {
            if round % 3 == 0 {
                let number = fixture.engine.allocateTransactionID()
                #expect(number.isGiven && number < fixture.engine.transactionLimit)
                #expect(given.insert(number.rawValue).inserted)
            }
            try fixture.put("k\(round)", "v")
        }
        let reader = try ChangeReader(
            root: fixture.engine.path, fileSystem: fixture.engine.environment.fileSystem,
            from: .zero, mode: .live)
        reader.vouch(for: try fixture.engine.writable().pipeline.publishedEnd)
        var seen: Set<UInt64> = []
        while let event = try reader.next() {
            guard case .transaction(let transaction) = event else { continue }
            #expect(!transaction.header.transaction.isGiven)
            #expect(seen.insert(transaction.header.transaction.rawValue).inserted)
        }
        #expect(seen.count >= 100)
    }

    /// Else a crash would let it be given again, to a transaction that commits.
    @Test func aFlushKeepsGivenNumbersFromBeingGivenAgain() throws {
        let fixture = try EngineFixture()
        func noted() throws -> TransactionID {
            let names = FileNames(root: "/db")
            let manifest = try #require(
                try ManifestReader.readLive(names, fixture.fileSystem, forWriting: false))
            return try #require(manifest.edits.compactMap(\.transactionLimit).max())
        }
        let before = try noted()
        let given = fixture.engine.allocateTransactionID()
        #expect(given < before)
        try fixture.put("k", "v")
        try fixture.engine.flush()
        #expect(try noted().rawValue > before.rawValue + TransactionID.spacing)
    }

    @Test func oldNumbersAreForgotten() throws {
        let fixture = try EngineFixture()
        let store = TransactionStatusStore(fixture.engine)
        var numbers: [TransactionID] = []
        for index in 0..<10 { numbers.append(try commit(store, fixture.engine, "k\(index)")) }
        let never = fixture.engine.allocateTransactionID()
        #expect(try store.collect(olderThanMicros: .max, keeping: 10) == 0)
        #expect(try store.collect(olderThanMicros: .max, keeping: 7) == 3)
        try fixture.reopen()
        let again = TransactionStatusStore(fixture.engine)
        for (index, number) in numbers.enumerated() {
            switch try again.status(of: number) {
            case .committed: #expect(index >= 3)
            case .forgotten(let limit): #expect(index < 3 && limit == numbers[2])
            case .absent: Issue.record("\(number) is known to nobody")
            }
        }
        #expect(try again.status(of: never) == .absent)
        fixture.clock.advance(micros: 1000)
        let young = try commit(again, fixture.engine, "young")
        #expect(try again.collect(olderThanMicros: 1000, keeping: 10) == 0)
        fixture.clock.advance(micros: 1)
        #expect(try again.collect(olderThanMicros: 1000, keeping: 10) == 7)
        #expect(try again.limit() == numbers[9])
        guard case .committed = try again.status(of: young) else {
            Issue.record("\(young) is forgotten")
            return
        }
        #expect(try fixture.get("k0") == "1")
    }
}
