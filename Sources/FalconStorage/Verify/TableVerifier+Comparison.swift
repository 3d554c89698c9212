extension TableVerifier {
    /// Compares the recorded properties with what the entries say.
    mutating func compare(_ recorded: TableProperties) {
        // What damage hides cannot be counted.
        if damagedBlocks > 0 { return }
        let offset = blocks.footer.properties.offset
        func check(_ name: String, _ recorded: UInt64, _ seen: UInt64) -> TableFinding? {
            recorded == seen
                ? nil
                : TableFinding(
                    .propertiesDisagree, "Property \(name) is wrong.", offset: offset,
                    expected: "\(seen)", actual: "\(recorded)")
        }
        if plan.isQuick {
            if let wrong = check("data blocks", recorded.dataBlockCount, seen.dataBlockCount) {
                report(wrong)
            }
            return
        }
        var found = [
            check("entries", recorded.entryCount, seen.entryCount),
            check("tombstones", recorded.tombstoneCount, seen.tombstoneCount),
            check("range tombstones", recorded.rangeTombstoneCount, seen.rangeTombstoneCount),
            check("data blocks", recorded.dataBlockCount, seen.dataBlockCount),
            check("raw key bytes", recorded.rawKeyBytes, seen.rawKeyBytes),
            check("raw value bytes", recorded.rawValueBytes, seen.rawValueBytes),
            check("least timestamp", recorded.minTimestamp.rawValue, seen.minTimestamp.rawValue),
            check("greatest timestamp", recorded.maxTimestamp.rawValue, seen.maxTimestamp.rawValue),
        ].compactMap { $0 }
        if recorded.smallestKey != seen.smallestKey || recorded.largestKey != seen.largestKey {
            found.append(
                TableFinding(
                    .propertiesDisagree, "The recorded key bounds are wrong.", offset: offset,
                    lowerKey: recorded.smallestKey, upperKey: recorded.largestKey))
        }
        if recorded.storageCounts != storageCounts.finish() {
            found.append(
                TableFinding(
                    .propertiesDisagree, "The counts per storage id are wrong.", offset: offset))
        }
        for finding in found { report(finding) }
    }

    mutating func compareWithManifest() {
        func check<T: Equatable & Sendable>(
            _ name: String, _ manifest: T?, _ table: T?
        ) -> TableFinding? {
            guard let manifest, let table, manifest != table else { return nil }
            return TableFinding(
                .manifestDisagrees, "MANIFEST and the table differ about \(name).",
                expected: "\(manifest)", actual: "\(table)")
        }
        // Of a table that is encrypted, and its key not at hand, no entry was read.
        let isRead = !blocks.footer.isSealed || blocks.cipher != nil
        if isRead, damagedBlocks == 0, !plan.isQuick, let uses = expected.blobUses,
            uses != blobUses.uses
        {
            report(
                TableFinding(
                    .manifestDisagrees,
                    "MANIFEST and the table differ about what it refers to in blob files.",
                    expected: "\(uses)", actual: "\(blobUses.uses)"))
        }
        var found = [
            check("the uid", expected.uid, blocks.footer.uid),
            check("the file's size", expected.fileBytes, result.fileBytes),
        ].compactMap { $0 }
        if let recorded = result.properties {
            found += [
                check("the entry count", expected.entryCount, recorded.entryCount),
                check("the tombstone count", expected.tombstoneCount, recorded.tombstoneCount),
                check(
                    "the range tombstone count", expected.rangeTombstoneCount,
                    recorded.rangeTombstoneCount),
                check("the least timestamp", expected.minTimestamp, recorded.minTimestamp),
                check("the greatest timestamp", expected.maxTimestamp, recorded.maxTimestamp),
            ].compactMap { $0 }
            if let smallest = expected.smallestKey, let largest = expected.largestKey,
                smallest != recorded.smallestKey || largest != recorded.largestKey
            {
                found.append(
                    TableFinding(
                        .manifestDisagrees, "MANIFEST and the table differ about the key bounds.",
                        lowerKey: recorded.smallestKey, upperKey: recorded.largestKey))
            }
        }
        for finding in found { report(finding) }
    }
}
