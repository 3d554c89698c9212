extension FindingCatalogue {
    /// What sst-verify finds.
    static let sst: [FindingKind] = []
}
