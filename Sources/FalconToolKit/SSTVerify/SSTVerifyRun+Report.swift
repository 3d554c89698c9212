import FalconStorage

extension SSTVerifyRun {
    /// Whether files have records of their own in the output.
    private var listsFiles: Bool { !(options.histograms && report.format == .csv) }

    mutating func add(
        _ result: TableVerification, _ path: String, _ table: TableDirectory.Table?
    ) {
        totals.tables += 1
        if result.isEncrypted, fileSystem.keyring == nil { totals.hidden = true }
        totals.bytes += result.fileBytes
        totals.blocks += result.checkedBlocks
        totals.entries += result.checkedEntries
        if let histograms = result.histograms {
            totals.histograms[table?.level ?? -1, default: .init()].add(histograms)
        }
        let findings = result.findings.count + result.suppressedFindings
        if result.findings.contains(where: { $0.code != .filterWeak }) { totals.damaged += 1 }
        if listsFiles {
            let depth =
                options.quick
                ? "\(result.checkedBlocks) blocks" : "\(result.checkedEntries) entries"
            report.record(
                record(result, path, table, findings),
                text: "\(path): " + (table.map { "level \($0.level), " } ?? "")
                    + "\(result.fileBytes) bytes, \(depth): "
                    + (result.isClean ? "ok" : "\(findings) findings"))
        }
        add(result.findings, path)
    }

    private func record(
        _ result: TableVerification, _ path: String, _ table: TableDirectory.Table?,
        _ findings: Int
    ) -> [(String, JSONValue)] {
        func number(_ value: UInt64?) -> JSONValue { value.map(JSONValue.unsigned) ?? .null }
        let properties = result.properties
        return [
            ("file", .string(path)),
            ("number", .text(table.map { FileNames.hex($0.number.rawValue) })),
            ("level", table.map { .count($0.level) } ?? .null),
            ("uid", .text(result.uid)), ("bytes", .unsigned(result.fileBytes)),
            ("entries", .unsigned(result.checkedEntries)),
            ("tombstones", number(properties?.tombstoneCount)),
            ("range_tombstones", number(properties?.rangeTombstoneCount)),
            ("blocks", .unsigned(result.checkedBlocks)),
            ("min_timestamp", number(properties?.minTimestamp.rawValue)),
            ("max_timestamp", number(properties?.maxTimestamp.rawValue)),
            ("findings", .count(findings)), ("kind", .string("table")), ("live_bytes", .null),
            ("garbage_bytes", .null),
        ]
    }

    /// True when something is wrong with the blob file.
    mutating func add(
        _ result: BlobVerification, _ path: String, _ blob: TableDirectory.Blob?
    ) -> Bool {
        totals.blobs += 1
        if result.isEncrypted, fileSystem.keyring == nil { totals.hidden = true }
        totals.bytes += result.fileBytes
        totals.liveBytes += blob?.liveBytes ?? 0
        totals.garbageBytes += blob?.garbageBytes ?? 0
        let findings = result.findings.count + result.suppressedFindings
        if findings > 0 { totals.damaged += 1 }
        if listsFiles {
            report.record(
                record(result, path, blob, findings),
                text: "\(path): \(result.fileBytes) bytes, \(result.checkedRecords) values"
                    + (blob.map { ", \($0.garbageBytes) bytes of garbage" } ?? "") + ": "
                    + (findings == 0 ? "ok" : "\(findings) findings"))
        }
        add(result.findings, path)
        return findings > 0
    }

    private func record(
        _ result: BlobVerification, _ path: String, _ blob: TableDirectory.Blob?, _ findings: Int
    ) -> [(String, JSONValue)] {
        [
            ("file", .string(path)),
            ("number", .text(blob.map { FileNames.hex($0.number.rawValue) })),
            ("level", .null), ("uid", .text(result.uid)),
            ("bytes", .unsigned(result.fileBytes)),
            ("entries", .unsigned(result.checkedRecords)), ("tombstones", .null),
            ("range_tombstones", .null), ("blocks", .null), ("min_timestamp", .null),
            ("max_timestamp", .null), ("findings", .count(findings)), ("kind", .string("blob")),
            ("live_bytes", blob.map { .unsigned($0.liveBytes) } ?? .null),
            ("garbage_bytes", blob.map { .unsigned($0.garbageBytes) } ?? .null),
        ]
    }

    private func add(_ findings: [TableFinding], _ path: String) {
        for finding in findings { report.add(Finding(finding, path, options.keys)) }
    }

    /// One finding for the table, or one for each damaged block that MANIFEST knows of.
    func reportQuarantine(_ table: TableDirectory.Table, _ reason: String) {
        if table.losses.isEmpty {
            report.add(
                Finding(
                    .sstQuarantined, "The table is out of service.", file: table.path,
                    actual: reason,
                    blastRadius: range(table.expected.smallestKey, table.expected.largestKey)))
        }
        for loss in table.losses {
            report.add(
                Finding(
                    .sstQuarantined,
                    loss.keys == nil
                        ? "The table is out of service; no row is lost, reads go without its filter."
                        : "The table is out of service; what no damaged block holds is served.",
                    file: table.path, offset: loss.offset, length: loss.byteCount, actual: reason,
                    blastRadius: loss.keys.flatMap { range($0.lower, $0.upper) }))
        }
    }
}

extension Finding {
    /// What is wrong with the file at `path`.
    init(_ finding: TableFinding, _ path: String, _ keys: SSTVerify.KeyDisplay) {
        self.init(
            FindingKind.table(finding.code), finding.message, file: path, offset: finding.offset,
            length: finding.length, expected: finding.expected, actual: finding.actual,
            blastRadius: keys.range(finding.lowerKey, finding.upperKey))
    }
}
