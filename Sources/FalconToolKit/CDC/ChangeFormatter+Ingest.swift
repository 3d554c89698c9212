import FalconSchema
import FalconStorage

extension ChangeFormatter {
    /// A line for each file that came in from outside. Its rows are in the file and not in the log, so
    /// they are counted and not shown.
    func lines(_ ingest: IngestRecord, lsn: LSN, endLSN: LSN) -> [Line] {
        guard selection.operations.isEmpty || selection.operations.contains("ingest") else {
            return []
        }
        return ingest.files.compactMap { file in
            let table = file.smallest.withUnsafeBytes { schema.table(of: $0) }
            guard
                selection.tables.isEmpty
                    || table.map({ table in
                        selection.tables.contains { $0.matches(table.descriptor) }
                    }) ?? false
            else { return nil }
            var fields: [(String, JSONValue)] = [("op", .string("ingest"))]
            if let table {
                fields.append(
                    ("database", .string(schema.databaseName(table.descriptor.database))))
                fields.append(("table", .string(table.name)))
            }
            fields += [
                ("lsn", .text(lsn)), ("end_lsn", .text(endLSN)),
                ("ts", .string(ToolTime.format(ingest.wallMicros))),
                ("commit_ts", .string(String(ingest.timestamp.rawValue))),
                ("rows", .unsigned(file.entryCount)), ("file", .text(file.uid)),
                ("file_bytes", .unsigned(file.byteCount)),
            ]
            return Line(
                fields: fields,
                text: "INGEST \(table?.name ?? "of") file \(file.uid), \(file.entryCount) entries, "
                    + "at \(lsn), resume from \(endLSN)")
        }
    }
}
