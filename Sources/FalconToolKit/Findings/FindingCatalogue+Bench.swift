extension FindingCatalogue {
    /// What falcon-bench finds.
    static let bench: [FindingKind] = [.benchSumsDiffer]
}

extension FindingKind {
    static let benchSumsDiffer = FindingKind(
        "BEN001", .corruption, "TPC-B's sums do not agree",
        explanation: "Every transaction adds one amount to an account, a teller and a branch and "
            + "writes it into history. Their four sums are no longer the same, or history has not "
            + "one row for each acknowledged transaction: the server lost or invented a write, or "
            + "someone else wrote to the tables meanwhile.",
        advice: "Run it again with --init and nobody else on the tables; if it stays, keep the "
            + "server's directory and run wal-inspect and sst-verify on it.")
}
