extension FindingCatalogue {
    /// What wal-inspect finds.
    static let wal: [FindingKind] = []
}
