import Testing

@testable import FalconStorage

/// Tables whose data blocks share a ZSTD dictionary.
@Suite struct DictionaryTests {
    /// Rows as an application has them: the same fields, other values.
    static func rows(_ count: Int, seed: UInt64 = 5) -> [ModelEntry] {
        var random = SeededRandom(seed: seed)
        let names = ["Alice", "Bob", "Carol", "Dave", "Erin", "Frank", "Grace", "Heidi"]
        let states = ["pending", "paid", "shipped", "returned"]
        return (0..<count).map { i in
            let row =
                #"{"id":\#(random.next() % 1_000_000),"name":"\#(names[random.below(8)])","#
                + #""email":"user\#(random.below(99999))@example.com","#
                + #""state":"\#(states[random.below(4)])","total":\#(random.below(50000))}"#
            return ModelEntry(
                key: Array("keyspace".utf8) + withUnsafeBytes(of: UInt32(i).bigEndian, Array.init),
                timestamp: UInt64(i + 1), kind: .put, value: Array(row.utf8))
        }
    }

    static func options(blockBytes: Int, dictionaryBytes: Int) -> TableOptions {
        var options = TableOptions()
        options.codec = .zstd
        options.blockBytes = blockBytes
        options.dictionaryBytes = dictionaryBytes
        return options
    }

    @Test(arguments: [1024, 4096])
    func smallRowsTakeLessRoom(blockBytes: Int) throws {
        let entries = Self.rows(20_000)
        func size(_ dictionaryBytes: Int) throws -> Int {
            let (file, summary) = try writeTable(
                entries,
                Self.options(blockBytes: blockBytes, dictionaryBytes: dictionaryBytes))
            #expect(TableVerifier.verify(file).findings == [])
            let table = try TableReader.open(
                file: file, uid: testUID, size: summary.fileBytes,
                cache: BlockCache(capacityBytes: 1 << 20))
            #expect(table.properties.dictionary.isAbsent == (dictionaryBytes == 0))
            let iterator = table.makeIterator()
            #expect(try iterator.collectForward() == entries)
            for entry in entries where entry.timestamp % 97 == 0 {
                let found = try table.find(entry.key, at: .max)
                #expect(found == entry)
            }
            return Int(summary.fileBytes)
        }
        let plain = try size(0)
        let trained = try size(16 << 10)
        print("blocks of \(blockBytes): \(plain) bytes, with a dictionary \(trained)")
        #expect(trained < plain * (blockBytes == 1024 ? 75 : 90) / 100)
    }

    @Test func whatHasNothingInCommonHasNoDictionary() throws {
        var random = SeededRandom(seed: 3)
        let entries = Self.rows(600).map { entry in
            var entry = entry
            // Keys too: what they share pays for a dictionary by itself.
            entry.key =
                entry.key.suffix(4)
                + (0..<40).map { _ in
                    UInt8(truncatingIfNeeded: random.next())
                }
            entry.value = (0..<4000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            return entry
        }
        let (file, summary) = try writeTable(
            entries, Self.options(blockBytes: 1024, dictionaryBytes: 1024))
        let table = try TableReader.open(
            file: file, uid: testUID, size: summary.fileBytes, cache: nil)
        #expect(table.properties.dictionary.isAbsent)
        #expect(try table.makeIterator().collectForward() == entries)
        // Nor has a table too small to train one.
        let (tiny, _) = try writeTable(
            Self.rows(10), Self.options(blockBytes: 1024, dictionaryBytes: 1024))
        #expect(TableVerifier.verify(tiny).properties?.dictionary == .absent)
    }

    @Test func everyDamagedByteIsDetected() throws {
        let entries = Self.rows(150)
        let (file, summary) = try writeTable(
            entries, Self.options(blockBytes: 512, dictionaryBytes: 512))
        let good = file.contents
        let handle = try TableReader.open(
            file: file, uid: testUID, size: summary.fileBytes, cache: nil
        ).properties.dictionary
        #expect(!handle.isAbsent)
        for byte in good.indices {
            var bad = good
            bad[byte] ^= 1 << UInt8(byte % 8)
            let found = TableVerifier.verify(BytesFile(bad))
            #expect(!found.isClean, "byte \(byte)")
            do {
                let table = try TableReader.open(
                    file: BytesFile(bad), uid: testUID, size: UInt64(bad.count), cache: nil)
                _ = try table.makeIterator().collectForward()
                // Only the filter is not read by a scan of everything.
                #expect(!(handle.offset..<handle.end).contains(UInt64(byte)), "byte \(byte)")
            } catch let error as StorageError {
                #expect(error.code == .corruption && error.location != nil, "byte \(byte)")
            }
        }
    }
}
