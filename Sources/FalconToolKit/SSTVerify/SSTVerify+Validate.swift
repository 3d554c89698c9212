import ArgumentParser

extension SSTVerify {
    public func validate() throws {
        if paths.isEmpty { throw ValidationError("Give a data directory or a table file.") }
        if salvage != (out != nil) || (salvage && paths.count != 1) {
            throw ValidationError("--salvage takes one data directory and --out NEWDIR.")
        }
        try validateNumbers()
        if quick, deep { throw ValidationError("Give one of --quick and --deep.") }
        if quick, histograms {
            throw ValidationError("--histograms counts entries, which --quick does not read.")
        }
        if failFast, maxErrors != nil {
            throw ValidationError("Give one of --fail-fast and --max-errors.")
        }
        try validateViews()
    }

    private func validateNumbers() throws {
        if maxFindings < 1 { throw ValidationError("--max-findings must be at least 1.") }
        if let maxErrors, maxErrors < 1 {
            throw ValidationError("--max-errors must be at least 1.")
        }
        if let jobs, !(1...1024).contains(jobs) {
            throw ValidationError("--jobs must be 1 to 1024.")
        }
        if let ioLimit, !(0.001...1_000_000).contains(ioLimit) {
            throw ValidationError("--io-limit must be 0.001 to 1000000 MB a second.")
        }
        if let limit, limit < 0 { throw ValidationError("--limit must not be negative.") }
    }

    /// What belongs to one view alone, and what to none beside another.
    private func validateViews() throws {
        let isOfDump = values != nil || keyPrefix != nil || from != nil || to != nil || limit != nil
        if isOfDump, !dump {
            throw ValidationError(
                "--values, --key-prefix, --from, --to and --limit belong to --dump.")
        }
        if keyPrefix != nil, from != nil || to != nil {
            throw ValidationError("Give --key-prefix, or --from and --to.")
        }
        if state != nil, histograms {
            throw ValidationError("--histograms counts every file: it takes no --state.")
        }
        if let state, state == "" || state == run.report {
            throw ValidationError("--state takes the name of a file of its own.")
        }
        let isOfCheck =
            quick || deep || histograms || failFast || maxErrors != nil || jobs != nil
            || state != nil
        if dump, isOfCheck || salvage {
            throw ValidationError("--dump lists entries and checks no files: leave the rest out.")
        }
        if salvage, isOfCheck || ioLimit != nil {
            throw ValidationError(
                "--salvage reads all that it copies: it takes no options of a check.")
        }
    }
}
