import Testing

@testable import FalconStorage

@Suite struct MemTableLoaderTests {
    private func add(_ entry: ModelEntry, to loader: inout MemTableLoader) -> Bool {
        entry.key.withUnsafeBytes { key in
            entry.value.withUnsafeBytes { value in
                loader.add(
                    key: key, timestamp: Timestamp(entry.timestamp), kind: entry.kind,
                    value: value)
            }
        }
    }

    /// The loader's order is for speed only: the tree comes out the same in any, and no test here sees it.
    /// Keys of three letters and of any length share prefixes, are prefixes of one another, and come again.
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func whatIsLoadedIsAsIfItWereInserted(_ seed: UInt64) throws {
        print("whatIsLoadedIsAsIfItWereInserted: seed \(seed)")
        var random = SplitMix64(seed: seed)
        let plain = try MemTable(capacityBytes: 8 << 20)
        let loaded = try MemTable(capacityBytes: 8 << 20)
        var loader = MemTableLoader(loaded)
        let prefix = [UInt8](repeating: 7, count: Int(seed - 1) * 5)
        for version in 1...3000 {
            let length = Int(random.next() % 12)
            let key = prefix + (0..<length).map { _ in UInt8(random.next() % 3) }
            let isDelete = random.next() % 5 == 0
            let entry = ModelEntry(
                key: key, timestamp: UInt64(version), kind: isDelete ? .delete : .put,
                value: isDelete ? [] : Array("value \(version)".utf8))
            #expect(plain.add(entry))
            #expect(add(entry, to: &loader))
        }
        #expect(loaded.entryCount == 0)
        let isWhole = loader.finish()
        #expect(isWhole)
        #expect(loaded.entryCount == 3000)
        let entries = try plain.makeIterator().collectForward()
        #expect(try loaded.makeIterator().collectForward() == entries)
        #expect(try loaded.makeIterator().collectBackward() == entries.reversed())
        for entry in entries.prefix(300) {
            #expect(loaded.find(entry.key, at: 1500) == plain.find(entry.key, at: 1500))
        }
    }

    @Test func nothingIsLoadedTwiceOrFromNothing() throws {
        let table = try MemTable(capacityBytes: 1 << 20)
        var loader = MemTableLoader(table)
        var ends = [loader.finish()]
        let entry = ModelEntry(key: [1], timestamp: 5, kind: .put, value: [2])
        #expect(add(entry, to: &loader))
        ends.append(loader.finish())
        ends.append(loader.finish())
        #expect(ends == [true, true, true])
        #expect(try table.makeIterator().collectForward() == [entry])
    }
}
