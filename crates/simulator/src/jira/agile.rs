//! Boards and sprints, where ids are numbers.

use super::{Site, nothing_here, paged, refusal};
use crate::json::{self, Object};
use crate::request::{Answer, Request};
use crate::world::jira::{Board, Project, Sprint};

/// Answers a call; the path starts behind `/rest/agile/1.0`.
pub fn route(site: &Site, request: &Request, path: &[&str]) -> Answer {
    match path {
        ["board"] => boards(site, request),
        ["board", id, "sprint"] => sprints(site, request, id),
        ["board", id, "configuration"] => configuration(site, id),
        ["sprint", id] => one_sprint(site, id),
        _ => nothing_here(),
    }
}

fn board_id(project: &Project) -> u64 {
    project.id - 9_000
}

fn project_of(site: &Site, board: &str) -> Option<usize> {
    let id: u64 = board.parse().ok()?;
    site.world.jira.projects.iter().position(|project| board_id(project) == id)
}

fn boards(site: &Site, request: &Request) -> Answer {
    let route = "board";
    let jira = &site.world.jira;
    let wanted = match request.asked("projectKeyOrId") {
        None => None,
        Some(key) => match jira.project(key) {
            Some(at) => Some(at),
            None => {
                return refusal(
                    route,
                    400,
                    &format!("No project could be found with key or id '{key}'."),
                );
            }
        },
    };
    let shown: Vec<&Project> = jira
        .projects
        .iter()
        .enumerate()
        .filter(|(at, _)| wanted.is_none_or(|wanted| wanted == *at))
        .map(|(_, project)| project)
        .collect();
    paged(route, request, 50, &shown, |o, project| {
        o.put("id", &board_id(project)).put("name", &format!("{} board", project.key));
        o.put("type", kind(project));
        o.object("location", |o| {
            o.put("projectId", &project.id).put("projectKey", &project.key);
        });
    })
}

fn kind(project: &Project) -> &'static str {
    match project.board {
        Board::Kanban => "kanban",
        Board::Scrum if project.next_gen => "simple",
        Board::Scrum => "scrum",
    }
}

fn sprints(site: &Site, request: &Request, board: &str) -> Answer {
    let route = "board/{id}/sprint";
    let Some(project) = project_of(site, board) else {
        return refusal(
            route,
            404,
            "The requested board cannot be viewed because it either does not exist or you do not have permission to view it.",
        );
    };
    if site.world.jira.projects[project].board == Board::Kanban {
        return refusal(route, 400, "The board does not support sprints");
    }
    let states = request.asked("state").map(|states| states.split(',').collect::<Vec<_>>());
    let now = site.world.now;
    let mut future = 0;
    let shown: Vec<&Sprint> = site
        .world
        .jira
        .sprints
        .iter()
        .filter(|sprint| sprint.project == project)
        .filter(|sprint| {
            // Nobody plans for years.
            future += usize::from(sprint.state(now) == "future");
            future <= 2
        })
        .filter(|sprint| states.as_ref().is_none_or(|states| states.contains(&sprint.state(now))))
        .collect();
    paged(route, request, 50, &shown, |o, sprint| write_sprint(o, site, sprint))
}

fn one_sprint(site: &Site, id: &str) -> Answer {
    let route = "sprint/{id}";
    match site.world.jira.sprints.iter().find(|sprint| sprint.id.to_string() == id) {
        Some(sprint) => Answer::json(route, 200, json::object(|o| write_sprint(o, site, sprint))),
        None => refusal(route, 404, "Sprint does not exist."),
    }
}

fn write_sprint(o: &mut Object, site: &Site, sprint: &Sprint) {
    let state = sprint.state(site.world.now);
    o.put("id", &sprint.id).put("state", state).put("name", &sprint.name);
    o.put("startDate", &sprint.start.exact()).put("endDate", &sprint.end.exact());
    if state == "closed" {
        o.put("completeDate", &sprint.end.exact());
    }
    o.put("originBoardId", &board_id(&site.world.jira.projects[sprint.project])).put("goal", "");
}

fn configuration(site: &Site, board: &str) -> Answer {
    let route = "board/{id}/configuration";
    let Some(project) = project_of(site, board).map(|at| &site.world.jira.projects[at]) else {
        return refusal(route, 404, "Board does not exist.");
    };
    let (field, name) = match project.next_gen {
        true => ("customfield_10016", "Story point estimate"),
        false => ("customfield_10026", "Story Points"),
    };
    let body = json::object(|o| {
        o.put("id", &board_id(project)).put("name", &format!("{} board", project.key));
        o.put("type", kind(project));
        o.object("estimation", |o| {
            o.put("type", "field");
            o.object("field", |o| {
                o.put("fieldId", field).put("displayName", name);
            });
        });
    });
    Answer::json(route, 200, body)
}
