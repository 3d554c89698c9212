extension FindingCatalogue {
    /// What cdc-tail finds.
    static let cdc: [FindingKind] = []
}
