import ArgumentParser
import AviaryImage

/// How several images go from folders into folders.
struct FolderOptions: ParsableArguments {
  @Flag(
    name: [.customShort("r"), .long],
    help: "Enter folders in folders; the results lie in folders of the same names.")
  var recursive = false

  @Option(
    help: ArgumentHelp(
      "Names of the files in the output folder, made of {name}, {model}, {scale} and {ext}.",
      valueName: "pattern"))
  var name: NamePattern?

  @Flag(help: "Skip images whose output is there.")
  var skipExisting = false

  @Flag(help: "Go on with images that come into the folders, until it is interrupted.")
  var watch = false

  @Option(
    help: ArgumentHelp(
      "JSON file to write: what became of each input, the models' content hashes, the options, the "
        + "time.", valueName: "file.json"), completion: .file(extensions: ["json"]))
  var manifest: String?
}
