/// Full pages by what they hold, so that a row whose tokens begin as another's did has their keys
/// and values without computing them.
///
/// Keys and values depend on the tokens up to theirs and on what acted on them. A page is therefore
/// found by the page before it and its own tokens, and the first one by the `Owner`: an adapter as
/// it was, or none. Nothing is found by a hash alone.
struct PromptPages {
    /// What acts on rows: see `AttachedAdapter.content`. Empty for the model alone.
    typealias Owner = [UInt64]

    private enum Before: Hashable {
        case page(Int32)
        case owner(Owner)
    }

    private struct Key: Hashable {
        let before: Before
        let tokens: ArraySlice<Int32>
    }

    private struct Entry {
        let key: Key
        /// Pages that are found by this one.
        var followers = 0
        var lastUse: UInt64
    }

    private var pages: [Key: Int32] = [:]
    private var entries: [Int32: Entry] = [:]
    private var clock: UInt64 = 0

    /// The pages of a row of these tokens, as far as they are known.
    mutating func find(_ tokens: [Int32], owner: Owner) -> [Int32] {
        clock += 1
        var found: [Int32] = []
        var before = Before.owner(owner)
        for start in stride(from: 0, through: tokens.count - KeyValuePages.length, by: KeyValuePages.length) {
            let own = tokens[start..<start + KeyValuePages.length]
            guard let page = pages[Key(before: before, tokens: own)] else { break }
            entries[page]?.lastUse = clock
            found.append(page)
            before = .page(page)
        }
        return found
    }

    /// Makes the full pages of a row known, and returns for each the one that is known: the row's,
    /// or where the same tokens are known from another row, that one's, which holds the same.
    mutating func add(_ tokens: [Int32], owner: Owner, pages own: [Int32]) -> [(page: Int32, isNew: Bool)] {
        clock += 1
        var all: [(page: Int32, isNew: Bool)] = []
        var before = Before.owner(owner)
        for (index, page) in own.prefix(tokens.count / KeyValuePages.length).enumerated() {
            let first = index * KeyValuePages.length
            let key = Key(before: before, tokens: ArraySlice(Array(tokens[first..<first + KeyValuePages.length])))
            if let known = pages[key] {
                entries[known]?.lastUse = clock
                all.append((known, false))
                before = .page(known)
                continue
            }
            pages[key] = page
            entries[page] = Entry(key: key, lastUse: clock)
            if case .page(let parent) = before { entries[parent]?.followers += 1 }
            all.append((page, true))
            before = .page(page)
        }
        return all
    }

    /// Forgets the page, among those that nothing else holds, that was used longest ago and by
    /// which no other is found.
    mutating func removeOldest(where isUnheld: (Int32) -> Bool) -> Int32? {
        let oldest = entries.filter { $0.value.followers == 0 && isUnheld($0.key) }.min {
            ($0.value.lastUse, $0.key) < ($1.value.lastUse, $1.key)
        }
        guard let (page, entry) = oldest else { return nil }
        entries[page] = nil
        pages[entry.key] = nil
        if case .page(let parent) = entry.key.before { entries[parent]?.followers -= 1 }
        return page
    }
}
