import Testing

@testable import FalconStorage

/// Partitions and timestamps that are wrong under right checksums.
@Suite struct PartitionVerifierTests {
    private static func table() throws -> (contents: [UInt8], footer: TableFooter) {
        var options = PartitionTests.small
        options.codec = .none
        options.partitioningBytes = 2 << 10
        let (file, summary) = try writeTable(PartitionTests.entries(2000), options)
        let footer = try TableReader.decodeFooter(
            Array(file.contents.suffix(128)), summary.fileBytes, "test")
        #expect(footer.indexLevels == 2 && footer.filterPages.count > 5)
        return (file.contents, footer)
    }

    /// The table with one block's payload changed and its checksum made right again.
    private static func rewrite(
        _ contents: [UInt8], _ handle: BlockHandle, _ kind: TableFormat.BlockKind,
        _ change: (inout [UInt8]) -> Void
    ) -> BytesFile {
        var bytes = contents
        let start = Int(handle.offset)
        let end = start + Int(handle.payloadBytes)
        var payload = Array(bytes[start..<end])
        change(&payload)
        bytes.replaceSubrange(start..<end, with: payload)
        let seed = Checksum.locationSeed(uid: testUID, offset: handle.offset, kind: kind.rawValue)
        let sum = bytes[start..<(end + 8)].withUnsafeBytes { Checksum.xxh3($0, seed: seed) }
        withUnsafeBytes(of: sum.littleEndian) {
            bytes.replaceSubrange((end + 8)..<(end + 16), with: $0)
        }
        return BytesFile(bytes)
    }

    @Test func aPageIsAskedForItsKeysAlone() throws {
        let (contents, footer) = try Self.table()
        let last = footer.filterPages.count - 1
        for page in [0, 3, last] {
            let handle = footer.filterPages.handle(page)
            let file = Self.rewrite(contents, handle, .filter) { payload in
                for index in 64..<payload.count { payload[index] = 0 }
            }
            let found = TableVerifier.verify(file, findingLimit: 2000).findings
            #expect(!found.isEmpty && found.count < 1000)
            #expect(found.allSatisfy { $0.code == .filterMissesKey && $0.offset == handle.offset })
        }
    }

    @Test func wrongTimestampsAreReported() throws {
        let (contents, footer) = try Self.table()
        var pin = BlockPin()
        try TableBlockReader(file: BytesFile(contents), footer: footer)
            .load(footer.index, .index, &pin)
        let handle = IndexBlock(validated: pin.bytes).handle(0)
        let count = Int(contents[Int(handle.offset)])
        // The newest step of the first child, the oldest of the second, the scale.
        for byte in [24 + 26 * count, 24 + 24 * count + 2, 13, 16] {
            let file = Self.rewrite(contents, handle, .index) { $0[byte] ^= 1 }
            let found = TableVerifier.verify(file).findings
            #expect(!found.isEmpty, "byte \(byte)")
            #expect(found.allSatisfy { $0.code == .timestampsDisagree }, "byte \(byte)")
            #expect(found.allSatisfy { $0.offset == handle.offset })
        }
    }
}
