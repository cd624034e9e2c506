#include "tests/support/cli_sandbox/sandbox.h"

#include <QDir>
#include <QDirIterator>
#include <QFile>
#include <QFileInfo>

namespace aiflow::test {

namespace {

constexpr const char* kInput = R"(aiflow: 1
name: faults
input:
  id: sku
  columns:
    sku: { type: text, required: true }
    title: { type: text, required: true }
    image: { type: image, required: true }
)";

constexpr const char* kSteps = R"(steps:
  say: { api: text, prompt: "Describe {{item.title}}" }
  load: { op: image.load, inputs: { file: $item.image } }
  small: { op: image.resize, inputs: { image: $load.image }, params: { width: 48 } }
  file: { op: image.encode, inputs: { image: $small.image } }
outputs:
  "{{item.sku}}.jpg": $file.file
  "{{item.sku}}.txt": $say.text
)";

constexpr const char* kSlowSteps = R"(steps:
  say: { api: text, prompt: "Describe {{item.title}}" }
  load: { op: image.load, inputs: { file: $item.image } }
  large: { op: image.resize, inputs: { image: $load.image }, params: { width: 1600 } }
  small: { op: image.resize, inputs: { image: $large.image }, params: { width: 48 } }
  file: { op: image.encode, inputs: { image: $small.image } }
outputs:
  "{{item.sku}}.jpg": $file.file
  "{{item.sku}}.txt": $say.text
)";

constexpr const char* kPhotographs[] = {"desk-lamp.jpg", "bookcase.jpg", "cuckoo-clock.jpg"};

const QString kSamples = QStringLiteral(AIFLOW_SOURCE_DIR "/resources/samples/");

QByteArray contentOf(const QString& path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

QByteArray productRow(int number, const char* image)
{
    const QByteArray digits = QByteArray::number(number).rightJustified(4, '0');
    return "P-" + digits + ",Product " + digits + ",images/" + image + "\n";
}

// Rows of a CSV file; enough for the lists that the program writes.
QList<QList<QByteArray>> csvRows(const QByteArray& text)
{
    QList<QList<QByteArray>> rows{{QByteArray()}};
    bool quoted = false;
    for (const char c : text) {
        if (c == '"') quoted = !quoted;
        if (c == ',' && !quoted)
            rows.back().append(QByteArray());
        else if (c == '\n' && !quoted)
            rows.append({QByteArray()});
        else
            rows.back().back() += c;
    }
    return rows;
}

// How long it took and when it ended is another in every run.
QByteArray withoutTimes(const QByteArray& csv)
{
    auto rows = csvRows(csv);
    QByteArray text;
    for (const char* column : {"_seconds", "_last_attempt_at"}) {
        const auto place = rows.front().indexOf(column);
        for (auto& row : rows)
            if (place >= 0 && place < row.size()) row[place].clear();
    }
    for (const auto& row : rows) text += row.join(',') + '\n';
    return text;
}

} // namespace

Sandbox::Sandbox(const QString& folder) : m_root(folder.isEmpty() ? m_temporary.path() : folder)
{
    QDir(m_root).mkpath(QStringLiteral("input/images"));
}

void Sandbox::fill(int products, bool withBadRows) const
{
    QByteArray csv = "sku,title,image\n";
    for (int i = 0; i < products; ++i) csv += productRow(i, kPhotographs[i % 3]);
    if (withBadRows) csv += productRow(products, "none.jpg") + productRow(products + 1, "desk-damaged.jpg");
    for (const char* name : {kPhotographs[0], kPhotographs[1], kPhotographs[2], "desk-damaged.jpg"})
        write(QStringLiteral("input/images/") + QLatin1String(name),
              contentOf(kSamples + QStringLiteral("images/") + QLatin1String(name)));
    write(QStringLiteral("input/products.csv"), csv);
    write(QStringLiteral("pipeline.yaml"), QByteArray(kInput) + kSteps);
}

void Sandbox::fillSlow(int products) const
{
    fill(products, false);
    write(QStringLiteral("pipeline.yaml"), QByteArray(kInput) + kSlowSteps);
}

void Sandbox::fillSample() const
{
    for (QDirIterator it(kSamples, QDir::Files, QDirIterator::Subdirectories); it.hasNext();) {
        const QString file = it.next();
        write(QStringLiteral("input/") + file.mid(kSamples.size()), contentOf(file));
    }
}

void Sandbox::write(const QString& name, const QByteArray& content) const
{
    const QString target = path(name);
    QDir().mkpath(QFileInfo(target).path());
    QFile file(target);
    if (!file.open(QIODevice::WriteOnly) || file.write(content) != content.size())
        qFatal("cannot write %s", qPrintable(target));
}

QByteArray Sandbox::read(const QString& name) const { return contentOf(path(name)); }

QStringList Sandbox::batch(const QStringList& more) const
{
    QStringList words{QStringLiteral("batch"), path(QStringLiteral("input/products.csv")), QStringLiteral("--out"),
                      path(QStringLiteral("out")), QStringLiteral("--offline")};
    const QString pipeline = path(QStringLiteral("pipeline.yaml"));
    if (QFile::exists(pipeline)) words += {QStringLiteral("--pipeline"), pipeline};
    return command(words + more);
}

QStringList Sandbox::resume(const QStringList& more) const
{
    return command(QStringList{QStringLiteral("resume"), QStringLiteral("last")} + more);
}

QStringList Sandbox::command(const QStringList& words) const
{
    return words + QStringList{QStringLiteral("--state-dir"), path(QStringLiteral("state"))};
}

CliEnd Sandbox::run(const QStringList& arguments, const Environment& environment) const
{
    return runCli(arguments, environment, m_root);
}

QString Sandbox::path(const QString& name) const { return name.isEmpty() ? m_root : m_root + QLatin1Char('/') + name; }

QString Sandbox::job() const
{
    const QDir jobs(path(QStringLiteral("state/jobs")));
    const auto names = jobs.entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name);
    return names.isEmpty() ? QString() : jobs.filePath(names.back());
}

FileTree Sandbox::results() const
{
    FileTree tree;
    const QString out = path(QStringLiteral("out/"));
    // Hidden files are locks; what a killed process left half written would be seen.
    for (QDirIterator it(out, QDir::Files | QDir::Hidden, QDirIterator::Subdirectories); it.hasNext();) {
        const QString file = it.next();
        if (file.endsWith(QStringLiteral("lock"))) continue;
        const QByteArray content = contentOf(file);
        tree.insert(file.mid(out.size()), file.endsWith(QStringLiteral(".csv")) ? withoutTimes(content) : content);
    }
    return tree;
}

QByteArray difference(const FileTree& wanted, const FileTree& got)
{
    for (auto it = wanted.begin(); it != wanted.end(); ++it) {
        if (!got.contains(it.key())) return "missing: " + it.key().toUtf8();
        if (got[it.key()] == it.value()) continue;
        const QByteArray name = it.key().toUtf8();
        if (!name.endsWith(".csv")) return "other bytes: " + name;
        return name + " was\n" + it.value() + "\nand is\n" + got[it.key()];
    }
    for (auto it = got.begin(); it != got.end(); ++it)
        if (!wanted.contains(it.key())) return "too much: " + it.key().toUtf8();
    return {};
}

} // namespace aiflow::test
