import FalconStorage

/// Segments, and how each continues the one before, as wal-inspect shows them.
enum WALSegmentText {
    static let heading =
        "segment           first LSN    last LSN          bytes       used  state"

    static func fields(
        _ segment: WALReader.SegmentSummary, _ link: WALChain.Link
    ) -> [(String, JSONValue)] {
        let header = segment.header
        return [
            ("number", .text(segment.number)), ("file", .string(segment.path)),
            ("file_bytes", .unsigned(segment.fileBytes)),
            ("used_bytes", .unsigned(segment.usedBytes)),
            ("vouched_bytes", .unsigned(segment.vouchedBytes)),
            ("first_lsn", .text(header?.firstLSN)),
            ("last_lsn", .text(segment.lastLSN)), ("chunks", .count(segment.chunkCount)),
            ("watermarks", .count(segment.watermarkCount)), ("sealed", .bool(segment.isSealed)),
            ("recycled", header.map { .bool($0.isRecycled) } ?? .null),
            ("incarnation", header.map { .unsigned($0.identity.incarnation) } ?? .null),
            ("epoch", header.map { .unsigned($0.identity.epoch) } ?? .null),
            ("branch", .text(header?.identity.branch)),
            ("shard", .text(header?.identity.shard)), ("uid", .text(header?.uid)),
            ("key_id", header.map { .unsigned($0.keyID) } ?? .null),
            ("opened_at", .text(header.map { ToolTime.format($0.wallMicros) })),
            ("predecessor", .text(header?.predecessor?.segment)),
            ("predecessor_uid", .text(header?.predecessor?.uid)),
            ("predecessor_last_lsn", .text(header?.predecessor?.lastLSN)),
            ("link", .string(link.kind.rawValue)),
            ("lsn_gap", .unsigned(link.lsnGap)),
        ]
    }

    static func line(_ segment: WALReader.SegmentSummary, _ link: WALChain.Link) -> String {
        var state = segment.isSealed ? "sealed" : "open"
        if segment.header == nil { state = "no header" }
        if segment.header?.isRecycled == true { state += ", recycled" }
        if let header = segment.header {
            state += ", incarnation \(header.identity.incarnation)"
            if header.keyID != 0 { state += ", key \(header.keyID)" }
        }
        state += link.text
        return "\(segment.number)  \(pad(segment.header?.firstLSN.description ?? "?", 11))  "
            + "\(pad(segment.lastLSN.description, 11))  "
            + "\(pad(String(segment.fileBytes), 10, left: true))"
            + "  \(pad(String(segment.usedBytes), 9, left: true))  \(state)"
    }

    static func pad(_ text: String, _ width: Int, left: Bool = false) -> String {
        let fill = String(repeating: " ", count: max(0, width - text.count))
        return left ? fill + text : text + fill
    }
}
