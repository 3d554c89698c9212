import Testing

@testable import FalconStorage

/// A quick check sees every changed byte, and not what entries say; filters are measured.
@Suite struct QuickVerifierTests {
    private static var quick: VerificationPlan {
        var plan = VerificationPlan()
        plan.isQuick = true
        return plan
    }

    @Test(arguments: [false, true])
    func soundTablesAreClean(partitioned: Bool) throws {
        let (file, summary) = try TableVerifierTests.table(
            partitioned ? TableVerifierTests.partitioned : TableVerifierTests.smallBlocks)
        let expected = TableVerifierTests.expectations(summary)
        let found = TableVerifier.verify(file, expected: expected, plan: Self.quick)
        #expect(found.findings == [])
        #expect(found.checkedEntries == 0 && found.checkedBlocks > 10)
    }

    @Test(arguments: [false, true])
    func everyFlippedBitIsReported(partitioned: Bool) throws {
        let (file, _) = try TableVerifierTests.table(
            partitioned ? TableVerifierTests.partitioned : TableVerifierTests.smallBlocks)
        let good = file.contents
        for byte in 0..<good.count {
            var bad = good
            bad[byte] ^= 1 << UInt8(byte % 8)
            let found = TableVerifier.verify(BytesFile(bad), plan: Self.quick)
            #expect(!found.isClean, "byte \(byte)")
        }
    }

    /// Each byte is read once, but for what lies at the end.
    @Test func aTableIsReadOnce() throws {
        let (source, summary) = try Self.filtered()
        for plan in [Self.quick, VerificationPlan()] {
            let file = BytesFile(source.contents)
            let expected = TableVerifierTests.expectations(summary)
            #expect(TableVerifier.verify(file, expected: expected, plan: plan).isClean)
            let total = file.readBytes.load(ordering: .relaxed)
            #expect(total < Int(summary.fileBytes) * 5 / 4)
        }
    }

    @Test func aStoppedCheckIsPartial() throws {
        let (file, _) = try TableVerifierTests.table()
        for isQuick in [false, true] {
            var plan = VerificationPlan()
            plan.isQuick = isQuick
            let pace = VerificationPace(clock: ManualClock()) { _ in }
            pace.stop()
            plan.pace = pace
            let found = TableVerifier.verify(file, plan: plan)
            #expect(found.isPartial && found.findings == [])
        }
    }

    // MARK: - Filters

    private static func filtered() throws -> (BytesFile, TableSummary) {
        var random = SeededRandom(seed: 4)
        let entries = modelEntries(.ascending, count: 20_000, &random).sorted(by: ModelEntry.sorts)
        return try writeTable(entries, .init())
    }

    @Test func theMeasuredRateIsNearTheNominalOne() throws {
        let (file, _) = try Self.filtered()
        var plan = VerificationPlan()
        plan.measuresFilters = true
        plan.histogramsAsOf = 0
        let found = TableVerifier.verify(file, plan: plan)
        #expect(found.findings == [])
        let filter = try #require(found.histograms?.filter)
        // Some keys have several versions.
        #expect((17_000...20_000).contains(filter.keys) && filter.asked == filter.keys)
        #expect((9.5...11).contains(filter.bitsPerKey))
        #expect((0.005...0.02).contains(filter.nominalRate))
        #expect((0.6...1.6).contains(filter.rate / filter.nominalRate))
    }

    @Test func aFilterThatDeniesNothingIsReported() throws {
        let (file, summary) = try Self.filtered()
        let footer = try TableReader.decodeFooter(
            Array(file.contents.suffix(128)), summary.fileBytes, "test")
        var bytes = file.contents
        let start = Int(footer.filter.offset)
        let end = start + Int(footer.filter.payloadBytes)
        for index in (start + 64)..<end { bytes[index] = 0xFF }
        let seed = Checksum.locationSeed(
            uid: testUID, offset: footer.filter.offset,
            kind: TableFormat.BlockKind.filter.rawValue)
        let sum = bytes[start..<(end + 8)].withUnsafeBytes { Checksum.xxh3($0, seed: seed) }
        withUnsafeBytes(of: sum.littleEndian) {
            bytes.replaceSubrange((end + 8)..<(end + 16), with: $0)
        }
        var plan = VerificationPlan()
        plan.measuresFilters = true
        let found = TableVerifier.verify(BytesFile(bytes), plan: plan)
        #expect(found.findings.map(\.code) == [.filterWeak])
        #expect(found.findings.first?.actual == "100.0 % of absent keys")
    }

    // MARK: - Histograms

    @Test func histogramsCountEveryEntryOnce() throws {
        let (file, _) = try TableVerifierTests.table(TableVerifierTests.smallBlocks)
        var plan = VerificationPlan()
        plan.histogramsAsOf = Timestamp.epochMicrosSince1970 + 100_000_000
        let found = TableVerifier.verify(file, plan: plan)
        let histograms = try #require(found.histograms)
        let properties = try #require(found.properties)
        let ages = histograms.ages.reduce(histograms.futureVersions, +)
        #expect(ages == 400)
        #expect(histograms.valueBytes.count == 400 - properties.tombstoneCount)
        #expect(histograms.valueBytes.total == properties.rawValueBytes)
        #expect(histograms.versionsPerKey.total == 400)
        #expect(histograms.versionsPerKey.count == histograms.keyBytes.count)
        #expect(histograms.tombstoneDensity.reduce(0, +) == properties.dataBlockCount)
        #expect(histograms.codecs.values.map(\.blocks).reduce(0, +) == properties.dataBlockCount)
    }

    @Test func sizesFallIntoPowersOfTwo() {
        var sizes = SizeHistogram()
        for value in [0, 1, 2, 3, 4, 7, 8, 1000] { sizes.add(value) }
        #expect(sizes.counts[0...4] == [1, 1, 2, 2, 1])
        #expect(sizes.counts[10] == 1 && sizes.largest == 1000 && sizes.total == 1025)
        #expect(SizeHistogram.bounds(10) == (512, 1024))
        #expect(SizeHistogram.bounds(64).below == .max)
    }
}
