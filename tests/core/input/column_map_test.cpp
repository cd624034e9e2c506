#include "core/input/column_map.h"

#include "tests/core/input/input_files.h"

#include <QTest>

using namespace aiflow;
using namespace aiflow::testing;

namespace {

FieldSpec spec(const std::string& name, FieldType type, bool required = false)
{
    FieldSpec field;
    field.name = name;
    field.type = type;
    field.required = required;
    return field;
}

ColumnMapSettings productFields()
{
    ColumnMapSettings settings;
    settings.fields = {spec("title", FieldType::Text, true), spec("image", FieldType::Image, true),
                       spec("price", FieldType::Number), spec("width_cm", FieldType::Number)};
    settings.idField = "sku";
    return settings;
}

InputDescription headerOf(const std::vector<std::string>& names)
{
    InputDescription description;
    for (const std::string& name : names) description.header.push_back({name, name.starts_with('_')});
    description.displayName = "products.csv";
    return description;
}

InputRecord row(std::vector<std::string> cells)
{
    InputRecord record;
    record.cells = std::move(cells);
    record.line = 7;
    record.byteOffset = 70;
    return record;
}

std::string numberText(const std::string& cell, const FieldSpec& field, const std::string& header = {})
{
    const auto value = readField(std::string_view(cell), field, splitUnit(header).unit, splitUnit(field.name).unit);
    if (!value) return "bad";
    if (const auto* whole = std::get_if<std::int64_t>(&*value)) return std::to_string(*whole);
    if (const auto* real = std::get_if<double>(&*value)) return QByteArray::number(*real, 'g', 17).toStdString();
    return "empty";
}

} // namespace

class ColumnMapTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void headersAreFound_data()
    {
        QTest::addColumn<QStringList>("header");
        QTest::addColumn<QStringList>("columns"); // for sku, title, image, price, width_cm
        QTest::newRow("exact") << QStringList{"title", "sku", "image", "price", "width_cm"}
                               << QStringList{"sku", "title", "image", "price", "width_cm"};
        QTest::newRow("folded") << QStringList{" SKU ", "Title", "ＩＭＡＧＥ", "Price", "Width cm"}
                                << QStringList{" SKU ", "Title", "ＩＭＡＧＥ", "Price", "Width cm"};
        QTest::newRow("Chinese") << QStringList{"商品编码", "商品标题", "主图", "价格(元)", "宽（mm）"}
                                 << QStringList{"商品编码", "商品标题", "主图", "价格(元)", "宽（mm）"};
        QTest::newRow("other Chinese") << QStringList{"货号", "品名", "图片", "售价", "宽度/cm"}
                                       << QStringList{"货号", "品名", "图片", "售价", "宽度/cm"};
        QTest::newRow("other English") << QStringList{"Product ID", "Product Name", "Main Image", "Unit-Price",
                                                      "W [in]"}
                                       << QStringList{"Product ID", "Product Name", "Main Image", "Unit-Price",
                                                      "W [in]"};
        QTest::newRow("one column feeds one field")
            << QStringList{"id", "name", "title", "picture"} << QStringList{"id", "title", "picture", "", ""};
    }

    void headersAreFound()
    {
        QFETCH(QStringList, header);
        QFETCH(QStringList, columns);
        std::vector<std::string> names;
        for (const QString& name : header) names.push_back(name.toStdString());
        const auto map = ColumnMap::make(productFields(), headerOf(names));
        QVERIFY(map.has_value());
        const auto found = [&](const std::string& field) {
            for (const FieldBinding& binding : map->bindings())
                if (binding.field.name == field) return QString::fromStdString(binding.header);
            return QString("no such field");
        };
        QCOMPARE((QStringList{found("sku"), found("title"), found("image"), found("price"), found("width_cm")}),
                 columns);
        QVERIFY(map->missing().empty());
    }

    void missingColumnsAreNamedAndLowerTheFit()
    {
        const auto map = ColumnMap::make(productFields(), headerOf({"商品编码", "颜色", "_reason"}));
        QCOMPARE(map->missing(), (std::vector<std::string>{"title", "image"}));
        QCOMPARE(map->unmatchedHeaders(), (std::vector<std::string>{"颜色"}));
        QVERIFY(map->fit() < 0.5);
        const auto complete = map->requireAll();
        QCOMPARE(complete.error().reason, Reason::InputFieldMissing);
        QVERIFY(complete.error().hint.find("--map title=") != std::string::npos);
        const auto best = ColumnMap::make(productFields(), headerOf({"sku", "title", "image", "price", "width"}));
        const auto good = ColumnMap::make(productFields(), headerOf({"sku", "title", "image"}));
        QVERIFY(best->fit() == 1 && good->fit() < 1 && good->fit() > 0.5);
    }

    void overridesGoFirstAndAreChecked()
    {
        auto settings = productFields();
        settings.overrides = {{"title", "促销语"}};
        const auto map = ColumnMap::make(settings, headerOf({"sku", "title", "促销语", "image"}));
        QCOMPARE(map->bindings()[0].header, std::string("促销语"));
        settings.overrides = {{"titel", "促销语"}};
        QVERIFY(ColumnMap::make(settings, headerOf({"sku"})).error().hint.find("title") != std::string::npos);
        settings.overrides = {{"title", "tittle"}};
        QVERIFY(ColumnMap::make(settings, headerOf({"title"})).error().hint.find("title") != std::string::npos);
    }

    void aliasesOfThePipelineAreObeyed()
    {
        auto settings = productFields();
        settings.fields[0].aliases = {"促销语"};
        QVERIFY(ColumnMap::make(settings, headerOf({"sku", "促销语", "image"}))->missing().empty());
    }

    void numbersAreReadAsPeopleTypeThem_data()
    {
        QTest::addColumn<QString>("cell");
        QTest::addColumn<QString>("header");
        QTest::addColumn<QString>("value");
        const auto add = [](const char* cell, const char* header, const char* value) {
            QTest::addRow("%s in %s", cell, header) << QString(cell) << QString(header) << QString(value);
        };
        add("12.5", "width", "12.5");
        add("１２", "width", "12");
        add("１２．５　ｃｍ", "width", "12.5");
        add("12.5 cm", "width", "12.5");
        add("125", "宽(mm)", "12.5");
        add("1.2 m", "宽(mm)", "120");
        add("12cm", "宽(mm)", "12");
        add("1,234.5", "width", "1234.5");
        add("1,234,567", "width", "1234567");
        add("-3", "width", "-3");
        add("−3", "width", "-3");
        add("+3", "width", "3");
        add("1e3", "width", "1000");
        add("", "width", "empty");
        add(" 　", "width", "empty");
        add("12,5", "width", "bad");
        add("12,5 cm", "width", "bad");
        add("1,23,456", "width", "bad");
        add("12 kg", "width", "bad");
        add("about 12", "width", "bad");
        add("12 x 3", "width", "bad");
        add("cm", "width", "bad");
        add("nan", "width", "bad");
        add("inf", "width", "bad");
        add("1.2.3", "width", "bad");
    }

    void numbersAreReadAsPeopleTypeThem()
    {
        QFETCH(QString, cell);
        QFETCH(QString, header);
        QFETCH(QString, value);
        const auto number = numberText(cell.toStdString(), spec("width_cm", FieldType::Number), header.toStdString());
        QCOMPARE(QString::fromStdString(number), value);
    }

    void moneyAndLimitsAreChecked()
    {
        FieldSpec price = spec("price", FieldType::Number);
        price.minimum = 0;
        price.maximum = 5000;
        for (const char* cell : {"1234", "¥1,234", "￥1234", "1234元", "RMB 1234", "１，２３４", "$1,234.00"})
            QCOMPARE(numberText(cell, price), std::string("1234"));
        QCOMPARE(numberText("-1", price), std::string("bad"));
        QCOMPARE(numberText("5001", price), std::string("bad"));
        QCOMPARE(numberText("1.5", spec("count", FieldType::Integer)), std::string("bad"));
        QCOMPARE(numberText("3 pcs", spec("count", FieldType::Integer)), std::string("3"));
    }

    void booleansAndChoicesUnderstandChinese()
    {
        const FieldSpec flag = spec("fragile", FieldType::Boolean);
        for (const char* yes : {"true", "Yes", "1", "是", "有", "Ｙ"})
            QVERIFY(std::get<bool>(*readField(std::string_view(yes), flag, {}, {})));
        for (const char* no : {"FALSE", "no", "0", "否", "无"})
            QVERIFY(!std::get<bool>(*readField(std::string_view(no), flag, {}, {})));
        QVERIFY(!readField(std::string_view("maybe"), flag, {}, {}));
        FieldSpec size = spec("size", FieldType::Text);
        size.oneOf = {"Small", "Large"};
        QCOMPARE(std::get<std::string_view>(*readField(std::string_view("ｌａｒｇｅ "), size, {}, {})),
                 std::string_view("Large"));
        QVERIFY(readField(std::string_view("Lage"), size, {}, {}).error().hint.find("Large") != std::string::npos);
    }

    void itemHasTypedFieldsAndTextStaysAsTyped()
    {
        auto settings = productFields();
        settings.fields.push_back(spec("color", FieldType::Text));
        settings.fields.back().defaultValue = std::make_shared<const Json>("black");
        const auto map = ColumnMap::make(settings, headerOf({"sku", "title", "image", "price", "宽(mm)", "颜色"}));
        const auto item = map->toItem(row({" A1 ", " 保温杯　３１６ ", " a.jpg ", "￥９９", "125", ""}));
        QVERIFY(item.has_value());
        QCOMPARE(item->id, std::string("A1"));
        QCOMPARE(item->title, std::string("保温杯　３１６"));
        QCOMPARE(
            dumpJson(*item->fields),
            std::string(
                R"({"color":"black","image":"a.jpg","price":99,"sku":"A1","title":" 保温杯　３１６ ","width_cm":12.5})"));
    }

    void badCellsNameLineColumnAndItem()
    {
        const auto map = ColumnMap::make(productFields(), headerOf({"货号", "标题", "主图", "价格"}));
        const auto bad = map->toItem(row({"A1", "mug", "a.jpg", "cheap"}));
        QCOMPARE(bad.error().reason, Reason::InputFieldBad);
        QCOMPARE(bad.error().where->line, 7);
        QCOMPARE(bad.error().message, std::string("item A1, column 价格: expected a number, found \"cheap\""));
        const auto missing = map->toItem(row({"A1", " ", "a.jpg", ""}));
        QCOMPARE(missing.error().reason, Reason::InputFieldMissing);
        QCOMPARE(missing.error().message, std::string("item A1, column 标题: expected text, found nothing"));
        QCOMPARE(map->check(row({"A1", " ", "a.jpg", ""}), nullptr)->message, missing.error().message);
    }

    void jsonValuesKeepTheirTypes()
    {
        auto description = headerOf({"sku", "title", "image", "price"});
        description.format = InputFormat::Jsonl;
        const auto map = ColumnMap::make(productFields(), description);
        InputRecord record;
        record.line = 3;
        record.object =
            std::make_shared<const Json>(*parseJson(R"({"sku":17,"title":"mug","image":"a.jpg","price":12.5})"));
        const auto item = map->toItem(record);
        QVERIFY(item.has_value());
        QCOMPARE(item->id, std::string("17"));
        QCOMPARE((*item->fields)["price"].get<double>(), 12.5);
        record.object = std::make_shared<const Json>(*parseJson(R"({"sku":"1","title":["x"],"image":"a.jpg"})"));
        QCOMPARE(map->toItem(record).error().reason, Reason::InputFieldBad);
        record.object = std::make_shared<const Json>(*parseJson(R"({"sku":"1","title":null,"image":"a.jpg"})"));
        QCOMPARE(map->toItem(record).error().reason, Reason::InputFieldMissing);
    }

    void folderFeedsIdTitleAndImage()
    {
        auto description = headerOf({"file", "id", "image", "mtime", "name", "size"});
        description.format = InputFormat::Folder;
        const auto map = ColumnMap::make(productFields(), description);
        QVERIFY(map->missing().empty());
        QCOMPARE(map->bindings()[0].header, std::string("name"));
        QCOMPARE(map->bindings().back().header, std::string("id"));
    }

    void withoutFieldsEveryColumnIsText()
    {
        const auto map = ColumnMap::make({}, headerOf({"a", "_b", "c"}));
        const auto item = map->toItem(row({"1", "2", "3"}));
        QCOMPARE(dumpJson(*item->fields), std::string(R"({"a":"1","c":"3"})"));
        QCOMPARE(item->id, std::string("7"));
    }

    void millionIdsStayWithinSixteenMegabytes()
    {
        IdSet ids;
        for (std::int64_t i = 0; i < 1'000'000; ++i) QVERIFY(!ids.insert("SKU-" + std::to_string(i), i + 2));
        QVERIFY2(ids.memory() <= 16'000'000, std::to_string(ids.memory()).c_str());
        QCOMPARE(ids.insert("SKU-123456", 2'000'000).value(), 123'458U);
        QVERIFY(!ids.insert("SKU-x", 1));
    }
};

QTEST_GUILESS_MAIN(ColumnMapTest)
#include "column_map_test.moc"
