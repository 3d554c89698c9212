import Testing

@testable import FalconStorage

@Suite struct TableVerifierTests {
    static func table(_ options: TableOptions = .init()) throws -> (BytesFile, TableSummary) {
        var random = SeededRandom(seed: 21)
        let entries = modelEntries(.interleaved, count: 400, &random).sorted(by: ModelEntry.sorts)
        let tombstone = RangeTombstone(lower: [0xFE], upper: [0xFF], timestamp: Timestamp(5))
        return try writeTable(entries, options, tombstones: [tombstone])
    }

    static func expectations(_ summary: TableSummary) -> TableExpectations {
        var expected = TableExpectations()
        expected.uid = summary.uid
        expected.fileBytes = summary.fileBytes
        expected.fileHash = summary.fileHash
        expected.smallestKey = summary.smallestKey
        expected.largestKey = summary.largestKey
        expected.minTimestamp = summary.minTimestamp
        expected.maxTimestamp = summary.maxTimestamp
        expected.entryCount = summary.entryCount
        expected.tombstoneCount = summary.tombstoneCount
        expected.rangeTombstoneCount = summary.rangeTombstoneCount
        return expected
    }

    static var smallBlocks: TableOptions {
        var options = TableOptions()
        options.blockBytes = 500
        return options
    }
    static var partitioned: TableOptions {
        var options = smallBlocks
        options.partitioningBytes = 1000
        return options
    }

    @Test(arguments: [false, true])
    func soundTablesAreClean(partitioned: Bool) throws {
        let (file, summary) = try Self.table(partitioned ? Self.partitioned : Self.smallBlocks)
        let found = TableVerifier.verify(file, expected: Self.expectations(summary))
        #expect(found.findings == [])
        #expect(found.checkedEntries == 400)
        #expect(found.uid == testUID)
    }

    @Test(arguments: [false, true])
    func everyFlippedBitIsReported(partitioned: Bool) throws {
        let (file, _) = try Self.table(partitioned ? Self.partitioned : Self.smallBlocks)
        let good = file.contents
        for byte in 0..<good.count {
            var bad = good
            bad[byte] ^= 1 << UInt8(byte % 8)
            let found = TableVerifier.verify(BytesFile(bad))
            #expect(!found.isClean, "byte \(byte)")
        }
    }

    @Test func damageIsLocatedAndTheRestChecked() throws {
        let (file, summary) = try Self.table(Self.smallBlocks)
        var bad = file.contents
        bad[100] ^= 1
        let found = TableVerifier.verify(BytesFile(bad), expected: Self.expectations(summary))
        #expect(Set(found.findings.map(\.code)) == [.blockDamaged, .fileHash])
        let block = try #require(found.findings.first { $0.code == .blockDamaged })
        #expect(block.offset == 64)
        #expect(block.upperKey != nil)
        #expect(found.checkedEntries > 300)
    }

    @Test func anotherFileUnderTheNameIsReported() throws {
        let (file, summary) = try Self.table()
        var expected = Self.expectations(summary)
        expected.uid = UID(high: 1, low: 1)
        expected.entryCount = 7
        expected.largestKey = [9]
        let found = TableVerifier.verify(file, expected: expected)
        #expect(found.findings.map(\.code) == Array(repeating: .manifestDisagrees, count: 3))
    }

    /// Sound checksums over wrong contents: a filter of other keys, unordered entries, wrong counts.
    @Test func wrongContentsUnderRightChecksums() throws {
        let (file, summary) = try Self.table()
        let footer = try TableReader.decodeFooter(
            Array(file.contents.suffix(128)), summary.fileBytes, "test")

        func rewrite(
            _ handle: BlockHandle, _ kind: TableFormat.BlockKind,
            _ change: (inout [UInt8]) -> Void
        ) -> BytesFile {
            var bytes = file.contents
            let start = Int(handle.offset)
            let end = start + Int(handle.payloadBytes)
            var payload = Array(bytes[start..<end])
            change(&payload)
            bytes.replaceSubrange(start..<end, with: payload)
            let seed = Checksum.locationSeed(
                uid: testUID, offset: handle.offset, kind: kind.rawValue)
            let sum = bytes[start..<(end + 8)].withUnsafeBytes { Checksum.xxh3($0, seed: seed) }
            withUnsafeBytes(of: sum.littleEndian) {
                bytes.replaceSubrange((end + 8)..<(end + 16), with: $0)
            }
            return BytesFile(bytes)
        }

        let noFilter = rewrite(footer.filter, .filter) { payload in
            for index in 64..<payload.count { payload[index] = 0 }
        }
        let filterFindings = TableVerifier.verify(noFilter).findings
        #expect(filterFindings.count > 300)
        #expect(filterFindings.allSatisfy { $0.code == .filterMissesKey })

        let wrongCount = rewrite(footer.properties, .properties) { payload in
            payload[2] ^= 1
        }
        #expect(TableVerifier.verify(wrongCount).findings.map(\.code) == [.propertiesDisagree])
    }
}
