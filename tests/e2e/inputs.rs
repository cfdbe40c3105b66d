//! Bad input: a diagnostic, the documented exit code, nothing changed, no panic.

use akson_tests::Folder;

use super::stacks::TEAMS;

#[track_caller]
fn refused(text: &str, code: &str) {
    let folder = Folder::with(text);
    let _ = folder.apply().exits(1).says(code);
    assert!(!folder.path().join(".akson/emulator/teams.json").exists(), "a ledger was written");
}

#[test]
fn wrong_configurations_change_nothing() {
    refused(&TEAMS.replace("each.key", "each.kye"), "error[AKS02");
    refused(&TEAMS.replace("identity.team[each.key]", "identity.tem[each.key]"), "identity.team");
    refused(&TEAMS.replace("cannot_delete", "cannot_delet"), "cannot_delete");
    refused(&TEAMS.replace("var.teams", "var.team"), "var.teams");
    refused(&format!("{TEAMS}\nvault \"main\" {{}}\n"), "error[AKS02");
    refused(&TEAMS.replace("  default = [\"mail\", \"shop\", \"web\"]\n", ""), "error[AKS02");
    refused(&format!("{TEAMS}\nmodule \"x\" {{ source = \"./x\" }}\n"), "no `.aks` files in the folder `x`");
    refused(
        &format!("{TEAMS}\nnever \"x\" {{\n  from = identity.team[\"mail\"]\n  to = vault.main\n}}\n"),
        "not supported",
    );
    refused("locals {\n  a = local.b\n  b = local.a\n}\nstack \"teams\" {}\n", "local.a");
    let nested = format!("stack \"teams\" {{ location = {}\"x\"{} }}", "[".repeat(100_000), "]".repeat(100_000));
    refused(&nested, "error[AKS01");
    refused("", "error[AKS0");
    refused("stack \"teams\" {", "error[AKS01");
}

#[test]
fn unreadable_files_are_told() {
    let folder = Folder::with(TEAMS);
    std::fs::write(folder.path().join("binary.aks"), [0xff, 0xfe, 0x00, 0x01]).unwrap();
    let _ = folder.akson(&["check"]).exits(1).says("binary.aks");
    std::fs::remove_file(folder.path().join("binary.aks")).unwrap();
    std::fs::create_dir(folder.path().join("folder.aks")).unwrap();
    let _ = folder.akson(&["check"]).exits(1).says("folder.aks");
    let _ = Folder::new().akson(&["check"]).exits(1).says("AKS0680");
    let _ = Folder::new().akson(&["-C", "missing", "check"]).exits(1).says("AKS0680");
}

#[test]
fn a_wrong_command_line_is_64() {
    let folder = Folder::with(TEAMS);
    let _ = folder.akson(&["plan", "--detailed-exit-code"]).exits(64);
    let _ = folder.akson(&["frobnicate"]).exits(64);
    let _ = folder.akson(&["plan", "--var", "x"]).exits(64);
    let _ = folder.akson(&["--help"]).exits(0);
    let _ = folder.akson(&["--version"]).exits(0);
}

#[test]
fn variables_come_from_flags_files_and_the_environment() {
    let folder = Folder::with(TEAMS);
    let planned = |arguments: &[&str], environment: Option<&str>| {
        let mut command = folder.command(&["plan", "--format", "json"]);
        command.args(arguments);
        if let Some(value) = environment {
            command.env("AKSON_VAR_teams", value);
        }
        let output = command.output().unwrap();
        let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        plan["summary"]["create"].as_u64()
    };
    folder.write("one.vars", "teams = [\"solo\"]\n");
    assert_eq!(planned(&[], Some("[]")), Some(3));
    assert_eq!(planned(&["--var-file", "one.vars"], Some("[]")), Some(5));
    assert_eq!(planned(&["--var-file", "one.vars", "--var", "teams=[\"a\", \"b\"]"], Some("[]")), Some(7));
    let _ = folder.akson(&["plan", "--var", "team=x"]).exits(1).says("teams");
}

#[test]
fn approval_is_needed_where_nobody_can_be_asked() {
    let folder = Folder::with(TEAMS);
    let _ = folder.akson(&["apply"]).exits(1).says("--auto-approve");
    assert!(!folder.path().join(".akson/emulator/teams.json").exists());
}

#[test]
fn a_broken_or_foreign_ledger_is_refused() {
    let folder = Folder::with(TEAMS);
    let _ = folder.apply().exits(0);
    let path = folder.path().join(".akson/emulator/teams.json");
    let good = std::fs::read_to_string(&path).unwrap();
    for generation in 1..=9 {
        let _ = std::fs::remove_file(folder.path().join(format!(".akson/emulator/teams.json.{generation}")));
    }
    std::fs::write(&path, good.replacen("vault", "vaulf", 1)).unwrap();
    let _ = folder.akson(&["plan"]).exits(1).says("AKS06");
    std::fs::write(&path, "").unwrap();
    let _ = folder.akson(&["plan"]).exits(1).says("AKS06");
    std::fs::write(&path, &good).unwrap();
    folder.settled();
    let other = Folder::with(
        "stack \"other\" { location = \"westeurope\" }\nresource_group \"main\" { name = \"other-rg\" }\n",
    );
    let _ = other.apply().exits(0);
    std::fs::copy(other.path().join(".akson/emulator/other.json"), &path).unwrap();
    let _ = folder.akson(&["plan"]).exits(1).says("AKS06");
    let _ = folder.apply().exits(1);
    // A new world is another tenant and another subscription.
    std::fs::write(&path, &good).unwrap();
    std::fs::remove_dir_all(folder.path().join(".akson/emulator/world")).unwrap();
    let _ = folder.akson(&["plan"]).exits(1).says("AKS06");
    let _ = folder.apply().exits(1);
}

#[test]
fn a_world_of_a_newer_version_is_refused() {
    let folder = Folder::with(TEAMS);
    let _ = folder.apply().exits(0);
    let path = folder.path().join(".akson/emulator/world/world.json");
    let mut world: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    world["format"] = 99.into();
    std::fs::write(&path, world.to_string()).unwrap();
    let _ = folder.akson(&["plan"]).exits(1).says("AKS0686");
}

#[test]
fn two_blocks_of_one_id_are_refused() {
    let text = format!(
        "{TEAMS}\nvault \"again\" {{\n  name           = \"TEAMS-kv-7421\"\n  resource_group = resource_group.main\n}}\n"
    );
    refused(&text, "vault.main");
}

#[test]
fn a_misspelt_location_is_one_mistake() {
    let text = TEAMS.replacen("location", "locaton", 1);
    let ran = Folder::with(&text).akson(&["check", "--format", "json"]).exits(1);
    let errors = ran.json()["summary"]["errors"].as_u64();
    assert_eq!(errors, Some(1), "{}", ran.stdout);
}
