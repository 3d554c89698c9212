/// What was made ready for ingested files before they are logged.
struct IngestPlace {
    /// Stands beside the files in their layer; stays empty.
    var placeholder: MemTable
    /// The next active memtable; nil when the active one is empty and goes on.
    var fresh: MemTable?
}
