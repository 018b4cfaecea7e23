import Glibc
import GraftTensor
import GraftTokenizers

// Drives the tokenizer for comparisons with other packages.
//
//   TokenizerBenchmark encode TOKENIZER TEXTS RESULTS [pairs] [plain] [max=N,LongestFirst,Right]
//       TEXTS and RESULTS are files of records. With `pairs`, records 0 and 1 are a pair, and so on. A result is six
//       arrays of 32-bit numbers end to end: ids, type ids, starts, ends (in characters), word ids, special-tokens mask.
//       A text that is refused has an empty result.
//   TokenizerBenchmark decode TOKENIZER RECORDS-OF-IDS TEXTS [skip]
//   TokenizerBenchmark time TOKENIZER TEXTS REPEATS
//       Prints the best times, of the processor: milliseconds to load, microseconds to encode all texts one by one.

func run(_ arguments: [String]) throws(GraftError) {
    guard arguments.count >= 4 else {
        throw GraftError(.invalidArgument, "usage: encode, decode or time; see the source")
    }
    switch arguments[0] {
    case "encode": try encode(arguments)
    case "decode": try decode(arguments)
    case "time": try time(arguments)
    default: throw GraftError(.invalidArgument, "no such command: \(arguments[0])")
    }
}

func encode(_ arguments: [String]) throws(GraftError) {
    let tokenizer = try Tokenizer(tokenizerFile: arguments[1])
    let texts = try Records.read(arguments[2])
    let isPaired = arguments.contains("pairs")
    var options = Tokenizer.Options(shortening: .none, addsSpecialTokens: !arguments.contains("plain"))
    if let setting = arguments.first(where: { $0.hasPrefix("max=") }) {
        let parts = setting.dropFirst(4).split(separator: ",").map(String.init)
        guard parts.count == 3, let length = Int(parts[0]), let strategy = Truncation.Strategy(rawValue: parts[1]),
            let side = Truncation.Side(rawValue: parts[2])
        else { throw GraftError(.invalidArgument, "expected max=N,Strategy,Side") }
        options.shortening = .to(Truncation(maximumLength: length, strategy: strategy, side: side))
    }
    var results: [[UInt8]] = []
    for index in stride(from: 0, to: texts.count, by: isPaired ? 2 : 1) {
        let pair = isPaired ? texts[index + 1] : nil
        guard let encoding = try? encode(texts[index], pair, tokenizer, options) else {
            results.append([])
            continue
        }
        results.append(Records.littleEndian(encoding))
    }
    try Records.write(results, to: arguments[3])
}

func encode(
    _ text: [UInt8], _ pair: [UInt8]?, _ tokenizer: Tokenizer, _ options: Tokenizer.Options
) throws(GraftError) -> [Int32] {
    try text.withUnsafeBufferPointer { text throws(GraftError) in
        try (pair ?? []).withUnsafeBufferPointer { second throws(GraftError) in
            let second = pair == nil ? nil : second
            let encoding = try tokenizer.encode(text, pair: second, options)
            let offsets = encoding.characterOffsets(in: text, pair: second)
            return encoding.ids + encoding.typeIDs + offsets.map(\.start) + offsets.map(\.end) + encoding.wordIDs
                + encoding.specialTokensMask.map { $0 ? 1 : 0 }
        }
    }
}

func decode(_ arguments: [String]) throws(GraftError) {
    let tokenizer = try Tokenizer(tokenizerFile: arguments[1])
    let skips = arguments.contains("skip")
    var texts: [[UInt8]] = []
    for record in try Records.read(arguments[2]) {
        let ids = stride(from: 0, to: record.count - 3, by: 4).map { start in
            (0..<4).reduce(Int32(0)) { $0 | Int32(record[start + $1]) << (8 * Int32($1)) }
        }
        texts.append(Array(try tokenizer.decode(ids, skipSpecialTokens: skips).utf8))
    }
    try Records.write(texts, to: arguments[3])
}

/// Processor time of this thread: steadier than the clock on a machine that others use.
func processorSeconds() -> Double {
    var now = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9
}

func time(_ arguments: [String]) throws(GraftError) {
    let texts = try Records.read(arguments[2])
    let repeats = Int(arguments[3]) ?? 5
    var loading = Double.infinity
    var encoding = Double.infinity
    var tokens = 0
    for _ in 0..<repeats {
        let start = processorSeconds()
        let tokenizer = try Tokenizer(tokenizerFile: arguments[1])
        loading = min(loading, processorSeconds() - start)
        for _ in 0..<2 {
            tokens = 0
            let start = processorSeconds()
            for text in texts {
                let options = Tokenizer.Options(shortening: .none)
                tokens += try text.withUnsafeBufferPointer { text throws(GraftError) in
                    try tokenizer.encode(text, options).count
                }
            }
            encoding = min(encoding, processorSeconds() - start)
        }
    }
    let bytes = texts.reduce(0) { $0 + $1.count }
    print(
        "{\"load_ms\": \(loading * 1e3), \"encode_us\": \(encoding * 1e6), "
            + "\"texts\": \(texts.count), \"bytes\": \(bytes), \"tokens\": \(tokens)}")
}

do throws(GraftError) {
    try run(Array(CommandLine.arguments.dropFirst()))
} catch {
    print(error)
    exit(1)
}
