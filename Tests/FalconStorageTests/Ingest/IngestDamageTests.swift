import Testing

@testable import FalconStorage

/// A file that is not what a `SortedFileWriter` has written is refused, whatever is wrong with it, and leaves nothing
/// behind.
@Suite struct IngestDamageTests {
    private static let path = "/bad.sst"

    /// Plain blocks without a filter, so that single bytes of a file can be given another meaning.
    private static var options: EngineOptions {
        var options = EngineOptions.small
        options.bottomCompression = .none
        options.filterBitsPerKey = 0
        return options
    }

    private static func code(_ body: () throws -> Void) -> StorageErrorCode? {
        do {
            try body()
            return nil
        } catch { return (error as? StorageError)?.code }
    }

    /// Replaces the file that is to be ingested.
    private static func store(_ contents: [UInt8], _ fixture: EngineFixture) throws {
        if try fixture.fileSystem.exists(path) { try fixture.fileSystem.remove(path) }
        try fixture.fileSystem.create(path, contents: contents)
    }

    private static func expectUntouched(_ fixture: EngineFixture) throws {
        #expect(try fixture.rows() == ["old=1"])
        #expect(try fixture.fileSystem.list("/db/sst") == [])
    }

    /// One bit of every byte: header, blocks and their trailers, index, filter, range tombstones, properties, footer.
    @Test(arguments: [false, true])
    func noFlippedBitGetsIn(encrypted: Bool) throws {
        var options = EngineOptions.small
        if encrypted { options.encryption = EncryptionOptions(masterKey: EncryptedFixture.key) }
        let fixture = try EngineFixture(options: options)
        try fixture.put("old", "1")
        let writer = try fixture.engine.makeSortedFileWriter(path: Self.path)
        for row in 0..<6 { try writer.put("k\(row)", "value \(row)") }
        try writer.deleteRange(lower: bytes("o"), upper: bytes("p"))
        _ = try writer.finish()
        let good = try fixture.fileSystem.contents(of: Self.path)
        let refusals: Set<StorageErrorCode> = [.corruption, .unsupportedFormat, .keyMissing]
        for place in good.indices {
            var bad = good
            bad[place] ^= 1 << UInt8(place % 8)
            try Self.store(bad, fixture)
            let refusal = Self.code { try fixture.engine.ingest([Self.path]) }
            #expect(refusal.map { refusals.contains($0) } == true, "byte \(place) of \(good.count)")
        }
        for count in [0, 1, 63, 64, 128, good.count / 2, good.count - 1] {
            try Self.store(Array(good.prefix(count)), fixture)
            #expect(Self.code { try fixture.engine.ingest([Self.path]) } == .corruption, "\(count)")
        }
        try Self.store(good + [0], fixture)
        #expect(Self.code { try fixture.engine.ingest([Self.path]) } == .corruption)
        try Self.expectUntouched(fixture)
        try Self.store(good, fixture)
        try fixture.engine.ingest([Self.path])
        #expect(try fixture.rows() == (0..<6).map { "k\($0)=value \($0)" })
    }

    /// Rewrites a block, and makes its checksum right.
    private static func rewrite(
        _ contents: [UInt8], _ handle: BlockHandle, _ kind: TableFormat.BlockKind, uid: UID,
        replacing old: String, with new: String
    ) throws -> [UInt8] {
        let (old, new) = (Array(old.utf8), Array(new.utf8))
        try #require(old.count == new.count)
        let start = Int(handle.offset)
        let end = start + Int(handle.payloadBytes)
        let place = try #require(
            (start...(end - old.count)).first { Array(contents[$0..<($0 + old.count)]) == old })
        var bytes = contents
        bytes.replaceSubrange(place..<(place + old.count), with: new)
        let seed = Checksum.locationSeed(uid: uid, offset: handle.offset, kind: kind.rawValue)
        let sum = Array(bytes[start..<(end + 8)]).withUnsafeBytes { Checksum.xxh3($0, seed: seed) }
        withUnsafeBytes(of: sum.littleEndian) {
            bytes.replaceSubrange((end + 8)..<(end + 16), with: $0)
        }
        return bytes
    }

    /// Sound checksums over what no writer writes: keys out of order, or beyond the bounds by which the file gets its
    /// level.
    @Test func rightChecksumsDoNotMakeAFileRight() throws {
        let fixture = try EngineFixture(options: Self.options)
        try fixture.put("old", "1")
        let file = try SortedFixture.write(
            [.put("k1", "<1>"), .put("k2", "<2>"), .put("k3", "<3>")], to: Self.path,
            options: Self.options, fixture.environment)
        let good = try fixture.fileSystem.contents(of: Self.path)
        let handle = try fixture.fileSystem.open(Self.path, .read)
        let table = try TableReader.open(
            file: handle, uid: file.uid, size: file.byteCount, cache: nil)
        let data = try #require(table.index).handle(0)
        let properties = table.footer.properties
        // A key's last byte stands before its value.
        let unordered = try Self.rewrite(
            good, data, .data, uid: file.uid, replacing: "2<2>", with: "9<2>")
        let twice = try Self.rewrite(
            good, data, .data, uid: file.uid, replacing: "2<2>", with: "1<2>")
        let narrow = try Self.rewrite(
            good, properties, .properties, uid: file.uid, replacing: "k1", with: "k2")
        let wide = try Self.rewrite(
            good, properties, .properties, uid: file.uid, replacing: "k3", with: "k4")
        for (bad, what) in [
            (unordered, "unordered"), (twice, "twice"), (narrow, "narrow"), (wide, "wide"),
        ] {
            try Self.store(bad, fixture)
            let error = #expect(throws: StorageError.self, "\(what)") {
                try fixture.engine.ingest([Self.path])
            }
            #expect(error?.code == .corruption, "\(what)")
            #expect(error?.location?.path == Self.path, "\(what)")
        }
        try Self.expectUntouched(fixture)
        // What was replaced was all that is wrong.
        let same = try Self.rewrite(
            unordered, data, .data, uid: file.uid, replacing: "9<2>", with: "2<2>")
        #expect(same == good)
    }

    /// A format or a feature of a later program: not damage, and not taken.
    @Test func aFileOfAnotherFormatIsNotTaken() throws {
        let fixture = try EngineFixture(options: Self.options)
        try fixture.put("old", "1")
        try SortedFixture.write(
            [.put("k1", "1")], to: Self.path, options: Self.options, fixture.environment)
        let good = try fixture.fileSystem.contents(of: Self.path)
        let footer = good.count - TableFormat.footerBytes
        // Version and read-incompatible features, behind four handles, levels, filter and uid.
        for place in [footer + 88, footer + 96] {
            var bad = good
            bad[place] ^= 0x40
            FuzzRepair.table(&bad)
            try Self.store(bad, fixture)
            #expect(
                Self.code { try fixture.engine.ingest([Self.path]) } == .unsupportedFormat,
                "\(place - footer)")
        }
        try Self.expectUntouched(fixture)
    }

    /// Encrypted for somebody else: with another registry's keys, or none at all.
    @Test func aFileUnderForeignKeysIsNotTaken() throws {
        var sealed = EngineOptions.small
        sealed.encryption = EncryptionOptions(masterKey: EncryptedFixture.otherKey)
        let maker = try EngineFixture(options: sealed)
        let writer = try maker.engine.makeSortedFileWriter(path: Self.path)
        try writer.put("k1", "1")
        _ = try writer.finish()
        let file = try maker.fileSystem.contents(of: Self.path)
        for isSealing in [false, true] {
            var options = EngineOptions.small
            if isSealing {
                options.encryption = EncryptionOptions(masterKey: EncryptedFixture.key)
            }
            let fixture = try EngineFixture(options: options)
            try fixture.put("old", "1")
            try Self.store(file, fixture)
            let refusal = Self.code { try fixture.engine.ingest([Self.path]) }
            // Both registries may number their keys alike: then the key does not fit.
            #expect(
                refusal == .keyMissing || isSealing && refusal == .corruption,
                "\(String(describing: refusal))")
            try Self.expectUntouched(fixture)
        }
    }

    /// Files that fit together go in together; of those that do not, none goes in, in whatever order they are given.
    @Test func filesThatOverlapAreRefusedTogether() throws {
        let fixture = try EngineFixture()
        try fixture.put("old", "1")
        func write(_ path: String, _ changes: [LedgerChange]) throws {
            try SortedFixture.write(changes, to: path, fixture.environment)
        }
        try write("/wide.sst", [.put("a", "w"), .put("z", "w")])
        try write("/inner.sst", [.put("m", "i")])
        try write("/range.sst", [.deleteRange("b", "m")])
        try write("/last.sst", [.put("z", "l")])
        for paths in [
            ["/wide.sst", "/inner.sst"], ["/inner.sst", "/wide.sst"], ["/wide.sst", "/last.sst"],
            ["/range.sst", "/wide.sst"], ["/inner.sst", "/inner.sst"],
            ["/range.sst", "/inner.sst", "/last.sst", "/wide.sst"],
        ] {
            #expect(Self.code { try fixture.engine.ingest(paths) } == .invalidArgument, "\(paths)")
        }
        try Self.expectUntouched(fixture)
        // The range ends where the next file begins.
        try fixture.engine.ingest(["/last.sst", "/inner.sst", "/range.sst"])
        #expect(try fixture.rows() == ["m=i", "old=1", "z=l"])
    }
}
