extension FindingCatalogue {
    /// What pitr-restore finds.
    static let pitr: [FindingKind] = []
}
