// swift-tools-version: 6.2
import PackageDescription

/// Every floor: Swift 6 language mode (the tools version's default) and warnings as errors.
///
/// Functions stand in sections of their own, and nothing is kept for importers that cannot be: so
/// the linker leaves out what no floor calls (0.19 MB).
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .unsafeFlags(
        ["-Xfrontend", "-function-sections", "-Xfrontend", "-internalize-at-link"], .when(configuration: .release)),
]

/// Floors that decide what is computed, and compute nothing themselves: built for size, their code
/// is a tenth smaller.
let compact: [SwiftSetting] = strict + [.unsafeFlags(["-Osize"], .when(configuration: .release))]

/// Kernels are numbers only and are always optimised: a debug build tests the same code that ships.
let kernelFlags: [CSetting] = [
    .unsafeFlags([
        "-O3", "-std=c11", "-fblocks", "-fno-math-errno", "-ffp-contract=off", "-fvisibility=hidden",
        "-ffunction-sections",
        "-Wall", "-Wextra", "-Werror", "-gdwarf-4",
    ])
]

let memoryFlags: [CSetting] = [
    .unsafeFlags(["-O2", "-std=c11", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror", "-gdwarf-4"])
]

/// What the linker puts before the C library's and C++'s allocation functions, within what it links
/// (docs/decisions/0008-memory-that-runs-out.md).
let allocations: [LinkerSetting] = [
    .unsafeFlags(
        [
            "malloc", "calloc", "realloc", "posix_memalign", "malloc_usable_size", "free", "_Znwm",
            "_ZnwmSt11align_val_t", "_ZdlPvm", "_ZdlPvmSt11align_val_t",
        ].flatMap { ["-Xlinker", "--wrap=\($0)"] })
]

/// What stands below each floor, with the floor itself. A target names all of it: SwiftPM builds a
/// target anew only when one that it names has changed.
let tensor: [Target.Dependency] = ["CGraftMemory", "CGraftKernels", "GraftTensor"]
let formats = tensor + ["GraftFormats"]
let tokenizers = formats + ["GraftTemplates", "GraftTokenizers"]
let layers = tensor + ["GraftLayers"]
let formatsAndLayers = formats + ["GraftLayers"]
let tasks = tokenizers + ["GraftLayers", "GraftModels", "GraftAdapters"]
let everything = tasks + ["GraftTraining", "GraftInference"]

/// One floor of Swift: it may import only the floors it names.
func floor(
    _ name: String, on dependencies: [Target.Dependency], settings: [SwiftSetting] = strict
) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], settings: [SwiftSetting] = strict) -> Target {
    .testTarget(name: name + "Tests", dependencies: dependencies, swiftSettings: settings)
}

/// Tests of the kernels compute in Swift what is expected of each: unoptimised, that takes ten
/// times as long as the kernels.
let fast: [SwiftSetting] = strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]

let package = Package(
    name: "graft",
    // A Swift program imports CGraft, the header, and holds the library in itself. For all others
    // the Makefile links these objects into libgraft.so: see Linking.
    products: [.library(name: "graft", type: .static, targets: ["Graft"])],
    targets: [
        .systemLibrary(name: "CGraft", path: "include"),
        .systemLibrary(name: "CPCRE2"),
        .systemLibrary(name: "CUTF8Proc"),
        .target(
            name: "CGraftKernels", cSettings: kernelFlags,
            linkerSettings: [.unsafeFlags(["-Xlinker", "-lm"])]),
        .target(name: "CGraftMemory", cSettings: memoryFlags, linkerSettings: allocations),
        floor("GraftTensor", on: ["CGraftMemory", "CGraftKernels"]),
        .target(
            name: "GraftFormats", dependencies: tensor + ["CPCRE2"], swiftSettings: strict,
            linkerSettings: [.unsafeFlags(["-Xlinker", "-l:libpcre2-8.a"])]),
        floor("GraftTemplates", on: formats, settings: compact),
        .target(
            name: "GraftTokenizers", dependencies: formats + ["GraftTemplates", "CUTF8Proc"], swiftSettings: strict,
            linkerSettings: [.unsafeFlags(["-Xlinker", "-l:libutf8proc.a"])]),
        floor("GraftLayers", on: tensor),
        floor("GraftModels", on: formatsAndLayers, settings: compact),
        floor("GraftAdapters", on: tokenizers + ["GraftLayers"], settings: compact),
        floor("GraftTraining", on: tasks),
        floor("GraftInference", on: tasks),
        floor("Graft", on: everything + ["CGraft"], settings: compact),
        .target(
            name: "GraftTestSupport", dependencies: formatsAndLayers, path: "Tests/Support", swiftSettings: strict),
        .target(
            name: "GraftMatrix", dependencies: tasks + ["GraftTraining", "GraftTestSupport"], path: "Tests/Matrix",
            swiftSettings: strict),
        .executableTarget(
            name: "MatrixTraining", dependencies: tasks + ["GraftTraining", "GraftTestSupport", "GraftMatrix"],
            path: "Tests/MatrixTraining", swiftSettings: strict),
        tests("CGraftKernels", ["CGraftKernels"], settings: fast),
        tests("GraftTensor", tensor),
        tests("GraftFormats", formatsAndLayers + ["GraftTestSupport"]),
        tests("GraftTemplates", formats + ["GraftTemplates", "GraftTestSupport"]),
        tests("GraftTokenizers", tokenizers + ["GraftLayers", "GraftTestSupport"]),
        tests("GraftLayers", layers),
        tests("GraftModels", formatsAndLayers + ["GraftModels", "GraftTestSupport"]),
        tests("GraftAdapters", tasks + ["GraftTestSupport"]),
        tests("GraftTraining", everything + ["GraftTestSupport", "GraftMatrix"]),
        tests("GraftInference", everything + ["GraftTestSupport"]),
        tests("Graft", everything + ["Graft"]),
        tests("GraftMatrix", everything + ["GraftTestSupport", "GraftMatrix", "MatrixTraining"]),
    ]
)
