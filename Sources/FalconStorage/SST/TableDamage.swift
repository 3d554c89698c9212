/// What a reading of a whole table found wrong with it.
struct TableDamage {
    /// The first that was met, for the record.
    var error: StorageError
    /// Nothing of it can be read: footer, properties, index, dictionary, range tombstones or the file itself.
    var isWhole: Bool
    /// Of a table that can be read otherwise: in the order of the file's keys, the filter's blocks last.
    var losses: [TableLoss] = []

    /// What to do about it.
    static let hint =
        "Restore the file from a backup, or accept the loss: falcondb "
        + "--drop-damaged-tables, or dropQuarantined()."

    static func whole(_ error: StorageError) -> TableDamage {
        TableDamage(error: error, isWhole: true)
    }
}
